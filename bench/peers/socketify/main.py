"""A room server on uWebSockets (C++), through socketify: a topic for each room.

https://docs.socketify.dev/websockets-backpressure.html
"""

import argparse

from socketify import App, AppListenOptions, CompressOptions

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
arguments = parser.parse_args()


def upgrade(response, request, context):
    response.upgrade(
        request.get_header("sec-websocket-key"),
        request.get_header("sec-websocket-protocol"),
        request.get_header("sec-websocket-extensions"),
        context,
        request.get_url(),
    )


def opened(socket):
    socket.subscribe(socket.get_user_data())


def heard(socket, message, opcode):
    socket.publish(socket.get_user_data(), message, opcode)


app = App()
app.ws(
    "/*",
    {
        "compression": CompressOptions.DISABLED,
        # 0: a slow reader's bytes wait without a limit, as they do in the other peers.
        "max_backpressure": 0,
        "idle_timeout": 0,
        "upgrade": upgrade,
        "open": opened,
        "message": heard,
    },
)
app.listen(
    AppListenOptions(port=arguments.port, host="127.0.0.1"),
    lambda config: print(f"listening on 127.0.0.1:{config.port}", flush=True),
)
app.run()
