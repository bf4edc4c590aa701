/*
 * Records what a process does to the files below KYROS_RECORD_ROOT: opens, writes with their data, truncations, syncs,
 * renames. Loaded with LD_PRELOAD; everything goes to KYROS_RECORD_FILE in the order in which it happened, because one
 * lock is held over each operation and its record; recording.ts reads it. Without KYROS_RECORD_FILE nothing is recorded.
 * While the file that KYROS_FULL_FLAG names is there, the disk is full: what would make a file grow is refused.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FD 65536

struct record {
  uint32_t op;
  int32_t pid;
  int32_t fd;
  uint32_t length;
  int64_t offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ino_t inodes[MAX_FD];
static const char *root;
static const char *full_flag;
static const char *record_file;
static size_t root_length;
static int trace = -1;
static pid_t trace_pid;

__attribute__((constructor)) static void begin(void) {
  root = getenv("KYROS_RECORD_ROOT");
  if (root) root_length = strlen(root);
  full_flag = getenv("KYROS_FULL_FLAG");
  record_file = getenv("KYROS_RECORD_FILE");
}

/* The root itself counts: it is synced for the names in it. */
static int is_below(const char *path) {
  if (!root || !path || strncmp(path, root, root_length) != 0) return 0;
  return path[root_length] == '/' || path[root_length] == 0;
}

/* The inode tells whether a number still stands for the file that was opened with it. */
static int is_tracked(int fd) {
  struct stat found;
  if (fd < 0 || fd >= MAX_FD || inodes[fd] == 0) return 0;
  return fstat(fd, &found) == 0 && found.st_ino == inodes[fd];
}

static void put(char op, int fd, int64_t offset, const void *data, size_t length) {
  if (!record_file) return;
  int before = errno;
  struct record head = {(uint32_t)op, getpid(), fd, (uint32_t)length, offset};
  struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
  if (trace_pid != head.pid) {
    trace = (int)syscall(SYS_openat, AT_FDCWD, record_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    trace_pid = head.pid;
  }
  /* A record that is not whole would make the whole recording wrong. */
  if (syscall(SYS_writev, trace, parts, 2) != (ssize_t)(sizeof head + length)) abort();
  errno = before;
}

static void put_path(char op, int fd, int64_t offset, const char *path) { put(op, fd, offset, path, strlen(path)); }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int opened(int fd, const char *path, int flags) {
  struct stat found;
  if (fd < 0 || fd >= MAX_FD) return fd;
  inodes[fd] = 0;
  if (!is_below(path) || fstat(fd, &found) != 0) return fd;
  inodes[fd] = found.st_ino;
  put_path('O', fd, (S_ISDIR(found.st_mode) ? 1 : 0) | (flags & O_TRUNC ? 2 : 0), path);
  return fd;
}

#define OPEN(name, real_call)                             \
  mode_t mode = 0;                                        \
  if (flags & (O_CREAT | O_TMPFILE)) {                    \
    va_list more;                                         \
    va_start(more, flags);                                \
    mode = (mode_t)va_arg(more, int);                     \
    va_end(more);                                         \
  }                                                       \
  int is_ours = is_below(path);                           \
  if (is_ours) pthread_mutex_lock(&lock);                 \
  int fd = opened(real_call, path, flags);                \
  if (is_ours) pthread_mutex_unlock(&lock);               \
  return fd;

int open(const char *path, int flags, ...) { OPEN(open, REAL(open)(path, flags, mode)) }
int open64(const char *path, int flags, ...) { OPEN(open64, REAL(open64)(path, flags, mode)) }
int openat(int dir, const char *path, int flags, ...) { OPEN(openat, REAL(openat)(dir, path, flags, mode)) }
int openat64(int dir, const char *path, int flags, ...) { OPEN(openat64, REAL(openat64)(dir, path, flags, mode)) }

int close(int fd) {
  if (fd >= 0 && fd < MAX_FD) inodes[fd] = 0;
  return REAL(close)(fd);
}

/* Where a write without an offset goes. */
static int64_t position(int fd) {
  struct stat found;
  if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &found) == 0 ? found.st_size : 0;
  return lseek(fd, 0, SEEK_CUR);
}

static int has_room(int fd, int64_t end) {
  struct stat found;
  if (!full_flag || access(full_flag, F_OK) != 0) return 1;
  return fstat(fd, &found) == 0 && end <= found.st_size;
}

static ssize_t refuse(void) {
  errno = ENOSPC;
  return -1;
}

#define WRITE(at, real_call)                              \
  if (!is_tracked(fd)) return real_call;                  \
  pthread_mutex_lock(&lock);                              \
  int64_t from = at;                                      \
  ssize_t written = has_room(fd, from + (int64_t)size) ? real_call : refuse(); \
  if (written > 0) put('W', fd, from, data, (size_t)written); \
  pthread_mutex_unlock(&lock);                            \
  return written;

ssize_t write(int fd, const void *data, size_t size) { WRITE(position(fd), REAL(write)(fd, data, size)) }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  WRITE(offset, REAL(pwrite)(fd, data, size, offset))
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  WRITE(offset, REAL(pwrite64)(fd, data, size, offset))
}

static int64_t sum_of(const struct iovec *parts, int count) {
  int64_t sum = 0;
  for (int index = 0; index < count; index++) sum += (int64_t)parts[index].iov_len;
  return sum;
}

static void put_parts(int fd, int64_t from, const struct iovec *parts, int count, ssize_t written) {
  for (int index = 0; index < count && written > 0; index++) {
    size_t length = parts[index].iov_len < (size_t)written ? parts[index].iov_len : (size_t)written;
    put('W', fd, from, parts[index].iov_base, length);
    from += (int64_t)length;
    written -= (ssize_t)length;
  }
}

#define WRITE_PARTS(at, real_call)                        \
  if (!is_tracked(fd)) return real_call;                  \
  pthread_mutex_lock(&lock);                              \
  int64_t from = at;                                      \
  ssize_t written = has_room(fd, from + sum_of(parts, count)) ? real_call : refuse(); \
  put_parts(fd, from, parts, count, written);             \
  pthread_mutex_unlock(&lock);                            \
  return written;

ssize_t writev(int fd, const struct iovec *parts, int count) {
  WRITE_PARTS(position(fd), REAL(writev)(fd, parts, count))
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  WRITE_PARTS(offset, REAL(pwritev)(fd, parts, count, offset))
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  WRITE_PARTS(offset, REAL(pwritev64)(fd, parts, count, offset))
}

#define ON_FD(op, value, real_call)                       \
  if (!is_tracked(fd)) return real_call;                  \
  pthread_mutex_lock(&lock);                              \
  int outcome = real_call;                                \
  if (outcome == 0) put(op, fd, value, "", 0);            \
  pthread_mutex_unlock(&lock);                            \
  return outcome;

int fsync(int fd) { ON_FD('S', 0, REAL(fsync)(fd)) }
int fdatasync(int fd) { ON_FD('S', 0, REAL(fdatasync)(fd)) }
int ftruncate(int fd, off_t size) { ON_FD('T', size, REAL(ftruncate)(fd, size)) }
int ftruncate64(int fd, off64_t size) { ON_FD('T', size, REAL(ftruncate64)(fd, size)) }
int posix_fallocate(int fd, off_t from, off_t size) { ON_FD('G', from + size, REAL(posix_fallocate)(fd, from, size)) }
int posix_fallocate64(int fd, off64_t from, off64_t size) {
  ON_FD('G', from + size, REAL(posix_fallocate64)(fd, from, size))
}
int fallocate(int fd, int mode, off_t from, off_t size) {
  ON_FD('G', from + size, REAL(fallocate)(fd, mode, from, size))
}
int fallocate64(int fd, int mode, off64_t from, off64_t size) {
  ON_FD('G', from + size, REAL(fallocate64)(fd, mode, from, size))
}

#define ON_PATH(op, real_call)                            \
  if (!is_below(path)) return real_call;                  \
  pthread_mutex_lock(&lock);                              \
  int outcome = real_call;                                \
  if (outcome == 0) put_path(op, -1, 0, path);            \
  pthread_mutex_unlock(&lock);                            \
  return outcome;

int unlink(const char *path) { ON_PATH('U', REAL(unlink)(path)) }
int rmdir(const char *path) { ON_PATH('U', REAL(rmdir)(path)) }
int mkdir(const char *path, mode_t mode) { ON_PATH('M', REAL(mkdir)(path, mode)) }

int rename(const char *from, const char *to) {
  if (!is_below(from) && !is_below(to)) return REAL(rename)(from, to);
  pthread_mutex_lock(&lock);
  int outcome = REAL(rename)(from, to);
  if (outcome == 0) {
    size_t length = strlen(from) + 1;
    char both[8192];
    if (length + strlen(to) >= sizeof both) abort();
    strcpy(both, from);
    strcpy(both + length, to);
    put('R', -1, (int64_t)length, both, length + strlen(to));
  }
  pthread_mutex_unlock(&lock);
  return outcome;
}
