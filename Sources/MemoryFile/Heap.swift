import CMemoryFile

/// The process's own memory.
package enum Heap {
    /// Gives back to the system what lies free between what is in use, which the allocator does not do by itself
    /// (`malloc_trim(3)`). It takes milliseconds, in which other threads may have to wait for memory.
    package static func giveBack() { cmemoryfile_trim_heap() }
}
