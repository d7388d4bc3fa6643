/*
 * A disk that loses what was not synced, for tests: preloaded into a server, it keeps beside each file of the database
 * a second one, FILE.disk, which has only what a disk is sure to have: the bytes of a write reach it with the next fsync
 * of the file. Whoever kills the server and puts FILE.disk in the place of FILE has the database after a loss of power.
 *
 *   LOSTWRITES_DATABASE  the database: this path, and with -wal and -journal behind it. What is mapped (-shm) is not kept.
 *   LOSTWRITES_EARLY     percentage of writes that reach the disk at once, since a system may write back when and in
 *                        which order it likes; chosen by LOSTWRITES_SEED.
 *   LOSTWRITES_FAIL      while there is a file of this path, fsync fails with EIO, and what was to be synced is dropped
 *                        for good, although it can still be read: that is what Linux does.
 *
 * Entries of folders count as durable at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum { FILES = 3, DESCRIPTORS = 4096 };

/* A write that is not synced; with a negative length the file was cut at the offset. */
struct change { off_t offset, length; };

static struct file {
    char path[PATH_MAX];
    int disk;
    struct change *changes;
    size_t count, capacity;
} files[FILES];

static const char *const suffixes[FILES] = { "", "-wal", "-journal" };
static struct file *owners[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int seed;
static int early;

static struct file *owner(int fd) { return fd >= 0 && fd < DESCRIPTORS ? owners[fd] : NULL; }

static void reach_disk(struct file *file, int fd, struct change change)
{
    char bytes[65536];
    if (change.length < 0)
        NEXT(ftruncate64)(file->disk, change.offset);
    for (off_t done = 0; done < change.length;) {
        size_t wanted = change.length - done < (off_t)sizeof bytes ? (size_t)(change.length - done) : sizeof bytes;
        ssize_t count = pread64(fd, bytes, wanted, change.offset + done);
        if (count <= 0)
            break;
        NEXT(pwrite64)(file->disk, bytes, count, change.offset + done);
        done += count;
    }
}

static void changed(struct file *file, int fd, off_t offset, off_t length)
{
    if (file->count == file->capacity)
        file->changes = realloc(file->changes, (file->capacity = file->capacity * 2 + 64) * sizeof *file->changes);
    file->changes[file->count++] = (struct change){ offset, length };
    if (rand_r(&seed) % 100 < early)
        reach_disk(file, fd, file->changes[file->count - 1]);
}

static struct file *find(const char *path)
{
    const char *database = getenv("LOSTWRITES_DATABASE");
    size_t length = database ? strlen(database) : 0;
    if (!length || !path || strncmp(path, database, length))
        return NULL;
    for (int i = 0; i < FILES; i++)
        if (!strcmp(path + length, suffixes[i]))
            return &files[i];
    return NULL;
}

/* What a file holds when it is first opened counts as synced. Its copy is there as a whole or not at all. */
static void copy(struct file *file, int fd)
{
    char unfinished[PATH_MAX];
    snprintf(unfinished, sizeof unfinished, "%.*s.new", PATH_MAX - 8, file->path);
    file->disk = NEXT(open64)(unfinished, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    reach_disk(file, fd, (struct change){ 0, lseek64(fd, 0, SEEK_END) });
    rename(unfinished, file->path);
}

static void opened(struct file *file, const char *path, int fd)
{
    if (!file->path[0]) {
        const char *chance = getenv("LOSTWRITES_EARLY"), *number = getenv("LOSTWRITES_SEED");
        early = chance ? atoi(chance) : 0;
        seed += number ? (unsigned int)atoi(number) : 0;
        snprintf(file->path, sizeof file->path, "%.*s.disk", PATH_MAX - 16, path);
        if (access(file->path, F_OK))
            copy(file, fd);
        else
            file->disk = NEXT(open64)(file->path, O_RDWR | O_CLOEXEC);
    }
    owners[fd] = file;
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    int fd = NEXT(open64)(path, flags, va_arg(rest, unsigned int));
    va_end(rest);
    struct file *file = find(path);
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < DESCRIPTORS && file)
        opened(file, path, fd);
    pthread_mutex_unlock(&lock);
    return fd;
}

int close(int fd)
{
    pthread_mutex_lock(&lock);
    if (owner(fd))
        owners[fd] = NULL;
    pthread_mutex_unlock(&lock);
    return NEXT(close)(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    if (!owner(fd))
        return NEXT(pwrite64)(fd, bytes, count, offset);
    pthread_mutex_lock(&lock);
    ssize_t written = NEXT(pwrite64)(fd, bytes, count, offset);
    if (written > 0)
        changed(owner(fd), fd, offset, written);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    if (!owner(fd))
        return NEXT(write)(fd, bytes, count);
    pthread_mutex_lock(&lock);
    off_t offset = lseek64(fd, 0, SEEK_CUR);
    ssize_t written = NEXT(write)(fd, bytes, count);
    if (written > 0)
        changed(owner(fd), fd, offset, written);
    pthread_mutex_unlock(&lock);
    return written;
}

int ftruncate64(int fd, off64_t length)
{
    if (!owner(fd))
        return NEXT(ftruncate64)(fd, length);
    pthread_mutex_lock(&lock);
    int result = NEXT(ftruncate64)(fd, length);
    if (!result)
        changed(owner(fd), fd, length, -1);
    pthread_mutex_unlock(&lock);
    return result;
}

static int synced(int fd)
{
    const char *fail = getenv("LOSTWRITES_FAIL");
    struct file *file = owner(fd);
    pthread_mutex_lock(&lock);
    int failed = fail && !access(fail, F_OK);
    for (size_t i = 0; !failed && i < file->count; i++)
        reach_disk(file, fd, file->changes[i]);
    file->count = 0;
    pthread_mutex_unlock(&lock);
    if (failed)
        errno = EIO;
    return failed ? -1 : 0;
}

int fsync(int fd) { return owner(fd) ? synced(fd) : NEXT(fsync)(fd); }

int fdatasync(int fd) { return owner(fd) ? synced(fd) : NEXT(fdatasync)(fd); }

int unlink(const char *path)
{
    struct file *file = find(path);
    pthread_mutex_lock(&lock);
    if (file && file->path[0]) {
        NEXT(unlink)(file->path);
        NEXT(close)(file->disk);
        file->path[0] = 0;
        file->count = 0;
    }
    pthread_mutex_unlock(&lock);
    return NEXT(unlink)(path);
}
