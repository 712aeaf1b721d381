/* A disk that keeps only what was synced, for every program that this library is loaded into.
 *
 * CUT_FOLDER is the folder of the files, CUT_KEPT the folder of what would be left after a power cut. A file's
 * bytes are kept as they are at the moment of fsync or fdatasync of it; a name that was moved or removed stays
 * as it was until the folder itself is synced. The real sync is left out: the test is about what survives, and
 * needs no wear of the disk. Files are kept under their path with / written as %.
 *
 * Moves wait in CUT_KEPT/.moves, a line "from\tto" each, until the folder is synced. A lock makes the steps of
 * several processes follow each other.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder(void) { return getenv("CUT_FOLDER"); }
static const char *kept(void) { return getenv("CUT_KEPT"); }

/* The path below the folder with / as %, or 0 when the path lies elsewhere. */
static int place(const char *path, char *out, size_t room) {
    const char *in = folder();
    if (!in || !kept()) return 0;
    size_t length = strlen(in);
    if (strncmp(path, in, length) || (path[length] != '/' && path[length])) return 0;
    snprintf(out, room, "%s/%s", kept(), path[length] ? path + length + 1 : "");
    for (char *at = out + strlen(kept()) + 1; *at; at++) if (*at == '/') *at = '%';
    return 1;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int locked(void) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/.lock", kept());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) flock(fd, LOCK_EX);
    return fd;
}

static void keep_file(int fd, const char *target) {
    char draft[PATH_MAX + 16], mine[64];
    snprintf(draft, sizeof draft, "%s/.draft", kept());
    snprintf(mine, sizeof mine, "/proc/self/fd/%d", fd);
    /* Read through the descriptor itself: to close another one of the file would end the program's locks on it. */
    int other = -1, to = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) fd = other = open(mine, O_RDONLY | O_CLOEXEC);
    static __thread char part[1 << 16];
    ssize_t got;
    off_t at = 0;
    while (to >= 0 && (got = pread(fd, part, sizeof part, at)) > 0) {
        if (write(to, part, got) != got) break;
        at += got;
    }
    if (other >= 0) close(other);
    if (to >= 0) close(to);
    int (*really)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    really(draft, target);
}

/* Every move into the folder that waits is done, and names that are gone are gone. */
static void keep_names(const char *path) {
    char moves[PATH_MAX], line[3 * PATH_MAX];
    int (*really)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    snprintf(moves, sizeof moves, "%s/.moves", kept());
    FILE *file = fopen(moves, "r");
    if (file) {
        while (fgets(line, sizeof line, file)) {
            char *tab = strchr(line, '\t'), *end = strchr(line, '\n');
            if (!tab || !end) continue;
            *tab = *end = 0;
            char from[PATH_MAX], to[PATH_MAX];
            if (access(tab + 1, F_OK) == 0 && place(line, from, sizeof from) && place(tab + 1, to, sizeof to))
                really(from, to);
        }
        fclose(file);
        unlink(moves);
    }
    char prefix[PATH_MAX], name[2 * PATH_MAX];
    if (!place(path, prefix, sizeof prefix)) return;
    const char *start = prefix + strlen(kept()) + 1;
    DIR *dir = opendir(kept());
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.') continue;
        const char *rest = entry->d_name;
        size_t length = strlen(start);
        if (length) {
            if (strncmp(rest, start, length) || rest[length] != '%') continue;
            rest += length + 1;
        }
        /* What lies in a folder below is gone when that folder is. */
        snprintf(name, sizeof name, "%s/%.*s", path, (int)strcspn(rest, "%"), rest);
        if (access(name, F_OK)) {
            snprintf(name, sizeof name, "%s/%s", kept(), entry->d_name);
            unlink(name);
        }
    }
    if (dir) closedir(dir);
}

static int sync_of(int fd, const char *called) {
    char path[PATH_MAX], target[PATH_MAX];
    struct stat told;
    if (!path_of(fd, path) || !place(path, target, sizeof target) || fstat(fd, &told)) {
        int (*really)(int) = dlsym(RTLD_NEXT, called);
        return really(fd);
    }
    int lock = locked();
    if (S_ISDIR(told.st_mode)) keep_names(path);
    else keep_file(fd, target);
    if (lock >= 0) close(lock);
    return 0;
}

int fsync(int fd) { return sync_of(fd, "fsync"); }
int fdatasync(int fd) { return sync_of(fd, "fdatasync"); }

static void note_move(const char *from, const char *to) {
    char target[PATH_MAX], path[PATH_MAX];
    if (!place(from, target, sizeof target) && !place(to, target, sizeof target)) return;
    int lock = locked();
    snprintf(path, sizeof path, "%s/.moves", kept());
    FILE *file = fopen(path, "a");
    if (file) {
        fprintf(file, "%s\t%s\n", from, to);
        fclose(file);
    }
    if (lock >= 0) close(lock);
}

int rename(const char *from, const char *to) {
    int (*really)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    int status = really(from, to);
    if (!status) note_move(from, to);
    return status;
}

int renameat(int one, const char *from, int other, const char *to) {
    int (*really)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
    int status = really(one, from, other, to);
    if (!status) note_move(from, to);
    return status;
}
