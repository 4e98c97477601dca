/* A disk that fails when a test says so: preloaded into herald, it stands before what writes files.
 * FAULTY_DISK_FOLDER is the folder that is meant. FAULTY_DISK names a file whose first word is the
 * fault: full, read-only, no-sync; none, or no such file: all works. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int has_fault(const char* name) {
    const char* path = getenv("FAULTY_DISK");
    char word[16] = "";
    int kept = errno;
    int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t size = read(fd, word, sizeof word - 1);
        word[size < 0 ? 0 : size] = '\0';
        close(fd);
    }
    errno = kept;
    return strncmp(word, name, strlen(name)) == 0;
}

static int is_meant(const char* path) {
    const char* folder = getenv("FAULTY_DISK_FOLDER");
    return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_meant_file(int fd) {
    char link[64];
    char path[4096];
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (size < 0) return 0;
    path[size] = '\0';
    return is_meant(path);
}

/* The errno of a write now; 0: it works. */
static int write_fault(void) {
    if (has_fault("full")) return ENOSPC;
    if (has_fault("read-only")) return EROFS;
    return 0;
}

static int file_fault(int fd) { return is_meant_file(fd) ? write_fault() : 0; }

static void* next(const char* name) { return dlsym(RTLD_NEXT, name); }

ssize_t write(int fd, const void* data, size_t size) {
    int fault = file_fault(fd);
    if (fault != 0) return errno = fault, -1;
    return ((ssize_t(*)(int, const void*, size_t))next("write"))(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
    int fault = file_fault(fd);
    if (fault != 0) return errno = fault, -1;
    return ((ssize_t(*)(int, const void*, size_t, off_t))next("pwrite"))(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
    int fault = file_fault(fd);
    if (fault != 0) return errno = fault, -1;
    return ((ssize_t(*)(int, const void*, size_t, off64_t))next("pwrite64"))(fd, data, size, at);
}

int ftruncate(int fd, off_t size) {
    int fault = file_fault(fd);
    if (fault != 0) return errno = fault, -1;
    return ((int (*)(int, off_t))next("ftruncate"))(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    int fault = file_fault(fd);
    if (fault != 0) return errno = fault, -1;
    return ((int (*)(int, off64_t))next("ftruncate64"))(fd, size);
}

static int sync_fault(int fd) { return is_meant_file(fd) && has_fault("no-sync"); }

int fsync(int fd) {
    if (sync_fault(fd)) return errno = EIO, -1;
    return ((int (*)(int))next("fsync"))(fd);
}

int fdatasync(int fd) {
    if (sync_fault(fd)) return errno = EIO, -1;
    return ((int (*)(int))next("fdatasync"))(fd);
}

static int creation_fault(const char* path, int flags) {
    return (flags & O_CREAT) != 0 && is_meant(path) && access(path, F_OK) != 0 ? write_fault() : 0;
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, int) : 0;
    va_end(rest);
    int fault = creation_fault(path, flags);
    if (fault != 0) return errno = fault, -1;
    return ((int (*)(const char*, int, ...))next("open"))(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, int) : 0;
    va_end(rest);
    int fault = creation_fault(path, flags);
    if (fault != 0) return errno = fault, -1;
    return ((int (*)(const char*, int, ...))next("open64"))(path, flags, mode);
}
