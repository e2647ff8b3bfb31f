import OriginStore
import TestSupport
import Testing

@Suite struct AgeListTests {
    @Test func `it keeps the order whatever is taken out`() {
        var random = RandomNumbers(seed: 7)
        var list = AgeList()
        var model: [(key: ObjectKey, place: Int)] = []
        for number in 0..<2_000 {
            // Grows, shrinks to nothing, and grows again.
            if model.isEmpty || Int.random(in: 0..<100, using: &random) < (number % 1_000 < 500 ? 70 : 30) {
                let key = key("/\(number)")
                model.append((key, list.append(key)))
            } else {
                let index = Int.random(in: 0..<model.count, using: &random)
                list.remove(model[index].place)
                list.remove(model.remove(at: index).place)
            }
            var walked: [ObjectKey] = []
            var place = list.oldest
            while let current = place {
                walked += [list.key(at: current)].compactMap(\.self)
                place = list.place(after: current)
            }
            #expect(walked == model.map(\.key))
            #expect(list.count == model.count)
        }
        #expect(list.key(at: -1) == nil)
        #expect(list.key(at: 1 << 40) == nil)
    }
}
