import NIOCore
import OriginStore
import Testing

@Suite struct ObjectLifeTests {
    @Test func `an upload writes an announced object to its end`() {
        var life = ObjectLife()
        #expect(life.state == .announced)
        #expect(life.uploadOpened(1) == .write)
        #expect(life.isWriting(1) == true)
        #expect(life.uploadEnded(1) == true)
        #expect(life.state == .complete)
        #expect(life.uploadOpened(2) == .replace)
        #expect(life.abandoned() == false)
    }

    @Test func `an upload that broke off can be taken up within the resume window`() {
        var life = ObjectLife()
        _ = life.uploadOpened(1)
        #expect(life.uploadBrokeOff(1, now: .at(10)) == true)
        #expect(life.state == .interrupted(since: .at(10)))
        #expect(life.timePassed(now: .at(14), resumeWindow: .seconds(5)) == false)
        #expect(life.uploadOpened(2) == .verifyThenWrite)
        #expect(life.timePassed(now: .at(99), resumeWindow: .seconds(5)) == false)
        #expect(life.uploadEnded(2) == true)
    }

    @Test func `when the resume window is over readers are cut, once`() {
        var life = ObjectLife()
        _ = life.uploadOpened(1)
        _ = life.uploadBrokeOff(1, now: .at(10))
        #expect(life.timePassed(now: .at(15), resumeWindow: .seconds(5)) == true)
        #expect(life.state == .aborted)
        #expect(life.timePassed(now: .at(16), resumeWindow: .seconds(5)) == false)
        #expect(life.uploadOpened(2) == .replace)
    }

    @Test func `only the newest upload writes, ends or breaks off`() {
        var life = ObjectLife()
        _ = life.uploadOpened(1)
        #expect(life.uploadOpened(2) == .verifyThenWrite)
        #expect(life.isWriting(1) == false)
        #expect(life.uploadEnded(1) == false)
        #expect(life.uploadBrokeOff(1, now: .at(1)) == false)
        #expect(life.state == .growing(upload: 2))
        #expect(life.uploadEnded(2) == true)
    }

    @Test func `what is given up stays so`() {
        var life = ObjectLife()
        #expect(life.abandoned() == true)
        #expect(life.abandoned() == false)
        #expect(life.isWriting(0) == false)
        #expect(life.uploadEnded(0) == false)
        #expect(life.state == .aborted)
    }
}
