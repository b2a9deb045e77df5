// What npm's Admin UI is told by its own server side: runs npm's server with instrument, one
// client that does what every server's events come from, and a client in the page's place.
// With an address it is that server's page instead, and does the same there. It writes what
// the page was told, a JSON array a line: the name and the arguments of each event.
const { createRequire } = require("node:module");
const { createServer } = require("node:http");
const [folder, address, password] = process.argv.slice(2);
const need = createRequire(folder + "/package.json");
const { io } = need("socket.io-client");

async function main(url) {
  const told = [];
  const page = io(url + "/admin", { auth: { username: "admin", password }, transports: ["websocket"], reconnection: false });
  page.onAny((...event) => told.push(event));
  const until = (what, seen) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("not told of " + what)), 60_000);
      const look = () => {
        if (!told.some(seen)) return;
        clearTimeout(timer);
        page.offAny(look);
        resolve();
      };
      page.onAny(look);
      look();
    });
  const named = (name) => until(name, ([n]) => n === name);
  page.on("connect_error", (e) => { throw e; });
  await named("all_sockets");
  const user = io(url, { transports: ["websocket"], reconnection: false, forceNew: true });
  await new Promise((resolve) => user.once("connect", resolve));
  const { id } = user; // which is gone when it is disconnected
  const of = (name, at) => until(name, (e) => e[0] === name && e[at] === id);
  await until("socket_connected", (e) => e[0] === "socket_connected" && e[1].id === id);
  page.emit("join", "/", "room", id);
  await until("room_joined", (e) => e[0] === "room_joined" && e[2] === "room");
  user.emit("message", "hello");
  await of("event_received", 2);
  page.emit("emit", "/", "room", "hi", 1);
  page.emit("leave", "/", "room", id);
  await until("room_left", (e) => e[0] === "room_left" && e[2] === "room");
  const stats = told.filter(([n]) => n === "server_stats").length;
  await until("more server_stats", () => told.filter(([n]) => n === "server_stats").length > stats);
  page.emit("_disconnect", "/", false, id);
  await of("socket_disconnected", 2);
  for (const event of told) console.log(JSON.stringify(event));
  process.exit(0);
}

if (address) {
  main(address);
} else {
  const { Server } = need("socket.io");
  const { instrument } = need("@socket.io/admin-ui");
  const http = createServer();
  const server = new Server(http);
  server.on("connection", (s) => s.on("message", (text) => s.emit("message", text)));
  instrument(server, { auth: false, mode: "development" });
  http.listen(0, "127.0.0.1", () => main("http://127.0.0.1:" + http.address().port));
}
