"""Numbers of the system calls that student code may make, for each kind of processor.

Reading and writing files that are open or that Landlock allows, memory, threads, time, signals to
oneself. The last eight are allowed for some arguments only; `seccomp` has the rules.

Reference: Linux `asm/unistd_64.h` and `asm-generic/unistd.h`.
"""


def _table(text: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (pair.partition(":") for pair in text.split())}


X86_64 = _table(
    """
    read:0 write:1 readv:19 writev:20 pread64:17 pwrite64:18 preadv:295 pwritev:296 preadv2:327
    pwritev2:328 lseek:8 close:3 close_range:436 open:2 openat:257 openat2:437 creat:85 access:21
    faccessat:269 faccessat2:439 stat:4 fstat:5 lstat:6 newfstatat:262 statx:332 statfs:137
    fstatfs:138 readlink:89 readlinkat:267 getdents:78 getdents64:217 getcwd:79 chdir:80 fchdir:81
    mkdir:83 mkdirat:258 rmdir:84 unlink:87 unlinkat:263 rename:82 renameat:264 renameat2:316
    link:86 linkat:265 symlink:88 symlinkat:266 truncate:76 ftruncate:77 fallocate:285 umask:95
    fsync:74 fdatasync:75 flock:73 fadvise64:221 copy_file_range:326 sendfile:40 splice:275 dup:32
    dup2:33 dup3:292 fcntl:72 pipe:22 pipe2:293 eventfd2:290 poll:7 ppoll:271 select:23 pselect6:270
    epoll_create:213 epoll_create1:291 epoll_ctl:233 epoll_wait:232 epoll_pwait:281 mmap:9
    mprotect:10 munmap:11 mremap:25 brk:12 madvise:28 mincore:27 msync:26 membarrier:324
    rt_sigaction:13 rt_sigprocmask:14 rt_sigreturn:15 rt_sigpending:127 rt_sigtimedwait:128
    rt_sigsuspend:130 sigaltstack:131 alarm:37 setitimer:38 getitimer:36 pause:34 futex:202
    set_robust_list:273 get_robust_list:274 set_tid_address:218 rseq:334 sched_yield:24
    sched_getaffinity:204 sched_setaffinity:203 sched_getparam:143 sched_getscheduler:145
    sched_get_priority_max:146 sched_get_priority_min:147 getpriority:140 nanosleep:35
    clock_nanosleep:230 clock_gettime:228 clock_getres:229 gettimeofday:96 time:201 times:100
    timer_create:222 timer_settime:223 timer_gettime:224 timer_delete:226 timerfd_create:283
    timerfd_settime:286 getpid:39 gettid:186 getppid:110 getuid:102 geteuid:107 getgid:104
    getegid:108 getgroups:115 getresuid:118 getresgid:120 getpgrp:111 getpgid:121 getsid:124
    getrlimit:97 getrusage:98 uname:63 sysinfo:99 getcpu:309 getrandom:318 arch_prctl:158
    restart_syscall:219 exit:60 exit_group:231 clone:56 clone3:435 kill:62 tkill:200 tgkill:234
    prctl:157 ioctl:16 prlimit64:302
    """
)

AARCH64 = _table(
    """
    read:63 write:64 readv:65 writev:66 pread64:67 pwrite64:68 preadv:69 pwritev:70 preadv2:286
    pwritev2:287 lseek:62 close:57 close_range:436 openat:56 openat2:437 faccessat:48 faccessat2:439
    fstat:80 newfstatat:79 statx:291 statfs:43 fstatfs:44 readlinkat:78 getdents64:61 getcwd:17
    chdir:49 fchdir:50 mkdirat:34 unlinkat:35 renameat:38 renameat2:276 linkat:37 symlinkat:36
    truncate:45 ftruncate:46 fallocate:47 umask:166 fsync:82 fdatasync:83 flock:32 fadvise64:223
    copy_file_range:285 sendfile:71 splice:76 dup:23 dup3:24 fcntl:25 pipe2:59 eventfd2:19 ppoll:73
    pselect6:72 epoll_create1:20 epoll_ctl:21 epoll_pwait:22 mmap:222 mprotect:226 munmap:215
    mremap:216 brk:214 madvise:233 mincore:232 msync:227 membarrier:283 rt_sigaction:134
    rt_sigprocmask:135 rt_sigreturn:139 rt_sigpending:136 rt_sigtimedwait:137 rt_sigsuspend:133
    sigaltstack:132 setitimer:103 getitimer:102 futex:98 set_robust_list:99 get_robust_list:100
    set_tid_address:96 rseq:293 sched_yield:124 sched_getaffinity:123 sched_setaffinity:122
    sched_getparam:121 sched_getscheduler:120 sched_get_priority_max:125 sched_get_priority_min:126
    getpriority:141 nanosleep:101 clock_nanosleep:115 clock_gettime:113 clock_getres:114
    gettimeofday:169 times:153 timer_create:107 timer_settime:110 timer_gettime:108 timer_delete:111
    timerfd_create:85 timerfd_settime:86 getpid:172 gettid:178 getppid:173 getuid:174 geteuid:175
    getgid:176 getegid:177 getgroups:158 getresuid:148 getresgid:150 getpgid:155 getsid:156
    getrlimit:163 getrusage:165 uname:160 sysinfo:179 getcpu:168 getrandom:278 restart_syscall:128
    exit:93 exit_group:94 clone:220 clone3:435 kill:129 tkill:130 tgkill:131 prctl:167 ioctl:29
    prlimit64:261
    """
)
