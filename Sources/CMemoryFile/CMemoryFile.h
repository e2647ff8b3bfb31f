#ifndef CMEMORYFILE_H
#define CMEMORYFILE_H

#include <malloc.h>
#include <sys/types.h>

/* Both are declared by the system's headers with _GNU_SOURCE alone, which Swift does not set. */
extern int memfd_create(const char *name, unsigned int flags);
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);

/* MFD_CLOEXEC, from linux/memfd.h. */
static inline int cmemoryfile_create(const char *name) { return memfd_create(name, 1U); }

/* FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE, from linux/falloc.h. */
static inline int cmemoryfile_discard(int descriptor, off_t offset, off_t length) {
    return fallocate(descriptor, 1 | 2, offset, length);
}

/* Gives back to the system what the allocator has free. */
static inline void cmemoryfile_trim_heap(void) { (void)malloc_trim(0); }

#endif
