/* A disk that fails, or is slow, for one process: preloaded into it, ruled by another through a file that both have mapped.

   cc -shared -fPIC -O1 -o disk.so disk.c -ldl
   LD_PRELOAD=disk.so DISK_RULE=FILE program

   Only calls on paths under the folder named by the rule are touched, and of those that open a file only those that could
   change something. A call that is to fail fails before anything is done. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, SYNC = 4, RENAME = 8, TRUNCATE = 16, UNLINK = 32, MKDIR = 64 };

/* As tests/bench/disk.py writes it. */
struct rule {
    uint32_t calls;    /* that fail */
    int32_t error;     /* with this */
    uint64_t hits;     /* how many have failed */
    uint64_t rate;     /* bytes a second that a sync takes; 0 for the disk's own */
    char folder[4096];
};

static struct rule *rule;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DISK_RULE");
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int file = path && real ? real(path, O_RDWR) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *rule, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) rule = found;
}

static int inside(const char *path) {
    size_t length = rule ? strlen(rule->folder) : 0;
    return length && path && !strncmp(path, rule->folder, length);
}

static int path_of(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int fails(uint32_t call, const char *path) {
    if (!rule || !(__atomic_load_n(&rule->calls, __ATOMIC_ACQUIRE) & call) || !inside(path)) return 0;
    __atomic_add_fetch(&rule->hits, 1, __ATOMIC_ACQ_REL);
    errno = rule->error;
    return 1;
}

static int fails_at(uint32_t call, int file) {
    char path[PATH_MAX];
    if (!rule || !(__atomic_load_n(&rule->calls, __ATOMIC_ACQUIRE) & call) || !path_of(file, path)) return 0;
    return fails(call, path);
}

/* Bytes written to each descriptor since it was synced last. */
static uint64_t behind[1024];

static void note(int file, ssize_t size) {
    if (rule && rule->rate && size > 0 && file < 1024) __atomic_add_fetch(&behind[file], (uint64_t)size, __ATOMIC_RELAXED);
}

static void linger(int file) {
    char path[PATH_MAX];
    if (!rule || !rule->rate || file >= 1024) return;
    uint64_t size = __atomic_exchange_n(&behind[file], 0, __ATOMIC_RELAXED);
    if (!size || !path_of(file, path) || !inside(path)) return;
    uint64_t ns = size * 1000000000 / rule->rate;
    struct timespec left = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    while (nanosleep(&left, &left)) {}
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CHANGES(flags) ((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))

#define OPENS(name)                                                                                                    \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
        return CHANGES(flags) && fails(OPEN, path) ? -1 : REAL(name)(path, flags, mode);                               \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                                                                 \
    int name(int folder, const char *path, int flags, ...) {                                                           \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
        return CHANGES(flags) && fails(OPEN, path) ? -1 : REAL(name)(folder, path, flags, mode);                       \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

ssize_t write(int file, const void *data, size_t size) {
    if (fails_at(WRITE, file)) return -1;
    ssize_t written = REAL(write)(file, data, size);
    note(file, written);
    return written;
}

int fsync(int file) {
    if (fails_at(SYNC, file)) return -1;
    linger(file);
    return REAL(fsync)(file);
}

int fdatasync(int file) {
    if (fails_at(SYNC, file)) return -1;
    linger(file);
    return REAL(fdatasync)(file);
}

int rename(const char *from, const char *to) { return fails(RENAME, to) ? -1 : REAL(rename)(from, to); }

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return fails(RENAME, to) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}

int truncate64(const char *path, off64_t size) { return fails(TRUNCATE, path) ? -1 : REAL(truncate64)(path, size); }

int unlink(const char *path) { return fails(UNLINK, path) ? -1 : REAL(unlink)(path); }

int mkdir(const char *path, mode_t mode) { return fails(MKDIR, path) ? -1 : REAL(mkdir)(path, mode); }
