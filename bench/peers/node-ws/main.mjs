// A room server with the `ws` library, in the shape of its own broadcast example:
// https://github.com/websockets/ws#server-broadcast

import { WebSocketServer, WebSocket } from "ws";

const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
const rooms = new Map();

const server = new WebSocketServer({ host: "127.0.0.1", port, backlog: 4096 }, () => {
  console.log(`listening on 127.0.0.1:${port}`);
});

server.on("connection", (socket, request) => {
  const name = request.url;
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));

  socket.on("error", console.error);
  socket.on("message", (message, isBinary) => {
    for (const client of room) {
      if (client.readyState === WebSocket.OPEN) {
        client.send(message, { binary: isBinary });
      }
    }
  });
  socket.on("close", () => {
    room.delete(socket);
    if (room.size === 0) {
      rooms.delete(name);
    }
  });
});
