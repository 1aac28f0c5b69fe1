/*
 * A disk that stops doing its part: while the file that FSYNC_FAILS_WHILE names is there, what waits for the disk fails
 * with EIO, as a dying disk has it. Loaded before libc by LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int is_failing(void) {
  const char *path = getenv("FSYNC_FAILS_WHILE");
  return path != NULL && access(path, F_OK) == 0;
}

static int wait_for_disk(const char *name, int file) {
  if (is_failing()) {
    errno = EIO;
    return -1;
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  return real(file);
}

int fsync(int file) { return wait_for_disk("fsync", file); }
int fdatasync(int file) { return wait_for_disk("fdatasync", file); }
