// A room server on uWebSockets itself, in the shape of its own Broadcast example: a topic for each
// room. https://github.com/uNetworking/uWebSockets/tree/master/examples

#include <cstdio>
#include <cstdlib>
#include <string>

#include "App.h"

struct PerSocketData {
    std::string room;
};

int main(int argc, char **argv) {
    if (argc != 3 || std::string_view(argv[1]) != "--port") {
        std::fprintf(stderr, "usage: rooms --port N\n");
        return 2;
    }
    int port = std::atoi(argv[2]);

    uWS::App app;
    app.ws<PerSocketData>("/*", {
        .compression = uWS::DISABLED,
        .idleTimeout = 0,
        // 0: a slow reader's bytes wait without a limit, as they do in the other peers.
        .maxBackpressure = 0,
        .upgrade = [](auto *res, auto *req, auto *context) {
            res->template upgrade<PerSocketData>(
                {std::string(req->getUrl())},
                req->getHeader("sec-websocket-key"),
                req->getHeader("sec-websocket-protocol"),
                req->getHeader("sec-websocket-extensions"),
                context);
        },
        .open = [](auto *ws) {
            ws->subscribe(ws->getUserData()->room);
        },
        .message = [&app](auto *ws, std::string_view message, uWS::OpCode code) {
            // The application's publish reaches the sender too.
            app.publish(ws->getUserData()->room, message, code);
        },
    });
    app.listen("127.0.0.1", port, [port](auto *socket) {
        if (!socket) {
            std::fprintf(stderr, "cannot listen on %d\n", port);
            std::exit(1);
        }
        std::printf("listening on 127.0.0.1:%d\n", port);
        std::fflush(stdout);
    });
    app.run();
}
