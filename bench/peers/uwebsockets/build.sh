#!/bin/sh
# Fetches uWebSockets and compiles main.cpp with it, as its own Makefile does without TLS and
# compression. Leaves `rooms` in the folder it is started in.
set -eu
cargo vendor --locked --versioned-dirs vendor >/dev/null
web=vendor/libuwebsockets-sys-0.0.10/uWebSockets
sockets=$web/uSockets/src
flags="-O3 -flto=auto -DLIBUS_NO_SSL -DUWS_NO_ZLIB -I$sockets"
for file in "$sockets"/*.c "$sockets"/eventing/epoll_kqueue.c; do
    cc -std=c11 $flags -c "$file" -o "$(basename "$file").o"
done
c++ -std=c++20 $flags -I"$web/src" main.cpp ./*.o -o rooms
rm -rf vendor
