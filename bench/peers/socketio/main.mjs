// A room server with Socket.IO's own rooms: https://socket.io/docs/v4/rooms/
// A client emits `join` and `say`; everybody in its room, itself included, hears `said`.

import { createServer } from "node:http";

import { Server } from "socket.io";

const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
const http = createServer();
const io = new Server(http);

io.on("connection", (socket) => {
  let room;
  socket.on("join", (name) => {
    room = name;
    socket.join(room);
  });
  socket.on("say", (text) => {
    io.to(room).emit("said", text);
  });
});

http.listen({ host: "127.0.0.1", port, backlog: 4096 }, () => {
  console.log(`listening on 127.0.0.1:${port}`);
});
