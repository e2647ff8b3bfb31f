-- What wrk has read, in a form that scripts read.
done = function(summary)
    local errors = summary.errors
    io.write(string.format("bytes=%d seconds=%.3f errors=%d\n", summary.bytes, summary.duration / 1e6,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
