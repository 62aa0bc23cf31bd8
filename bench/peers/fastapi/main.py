"""A room server as FastAPI's own tutorial teaches it: a ConnectionManager, with rooms in the path.

https://fastapi.tiangolo.com/advanced/websockets/#handling-disconnections-and-multiple-clients
"""

import argparse

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect


class ConnectionManager:
    def __init__(self):
        self.active_connections: dict[str, list[WebSocket]] = {}

    async def connect(self, room: str, websocket: WebSocket):
        await websocket.accept()
        self.active_connections.setdefault(room, []).append(websocket)

    def disconnect(self, room: str, websocket: WebSocket):
        self.active_connections[room].remove(websocket)
        if not self.active_connections[room]:
            del self.active_connections[room]

    async def broadcast(self, room: str, message: str):
        for connection in list(self.active_connections[room]):
            try:
                await connection.send_text(message)
            except (WebSocketDisconnect, RuntimeError):
                # It left while the message was on its way to it; its own task takes it out.
                pass


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
arguments = parser.parse_args()

manager = ConnectionManager()
app = FastAPI()


@app.websocket("/{room}")
async def websocket_endpoint(websocket: WebSocket, room: str):
    await manager.connect(room, websocket)
    try:
        while True:
            await manager.broadcast(room, await websocket.receive_text())
    except WebSocketDisconnect:
        manager.disconnect(room, websocket)


class Server(uvicorn.Server):
    """uvicorn, which says when it listens."""

    async def startup(self, sockets=None):
        await super().startup(sockets)
        if self.started:
            print(f"listening on 127.0.0.1:{arguments.port}", flush=True)


Server(uvicorn.Config(app, port=arguments.port, log_level="warning")).run()
