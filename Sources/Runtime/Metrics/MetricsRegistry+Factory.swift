package import CoreMetrics

extension MetricsRegistry: MetricsFactory {
    /// Counters end in `_total`, as Prometheus' naming rules want it.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let name = Self.name(label, suffix: "_total")
        let series = series(.counter, name: name, label: label, dimensions: dimensions) { .counter(CounterSeries()) }
        if case .counter(let counter) = series { return counter }
        return NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// What is to be aggregated becomes a histogram of seconds, else the last value counts.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate {
            return histogram(ExpositionText.metricName(label), label, dimensions) ?? NOOPMetricsHandler.instance
        }
        return gauge(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    /// A histogram: times are in seconds, and their names say so.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(Self.name(label, suffix: "_seconds"), label, dimensions) ?? NOOPMetricsHandler.instance
    }

    package func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }

    package func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }

    package func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }

    package func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    private func destroy(_ handler: AnyObject) {
        remove { series in
            switch series {
            case .counter(let counter): counter === handler
            case .gauge(let gauge): gauge === handler
            case .histogram(let histogram): histogram === handler
            }
        }
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries? {
        let name = ExpositionText.metricName(label)
        let series = series(.gauge, name: name, label: label, dimensions: dimensions) { .gauge(GaugeSeries()) }
        if case .gauge(let gauge) = series { return gauge }
        return nil
    }

    /// The label `le` is the histogram's own.
    private func histogram(_ name: String, _ label: String, _ dimensions: [(String, String)]) -> HistogramSeries? {
        let dimensions = dimensions.filter { ExpositionText.labelName($0.0) != ExpositionText.boundLabel }
        let series = series(.histogram, name: name, label: label, dimensions: dimensions) {
            .histogram(HistogramSeries())
        }
        if case .histogram(let histogram) = series { return histogram }
        return nil
    }

    private static func name(_ label: String, suffix: String) -> String {
        let name = ExpositionText.metricName(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }
}
