//! A room server in the shape of warp's own chat example: a channel and a writing task for each
//! client, behind one lock.
//!
//! <https://github.com/seanmonstar/warp/blob/master/examples/websockets_chat.rs>

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::TcpListener,
    sync::{RwLock, mpsc},
};
use tokio_stream::wrappers::UnboundedReceiverStream;
use warp::{
    Filter,
    ws::{Message, WebSocket},
};

static NEXT_USER_ID: AtomicUsize = AtomicUsize::new(1);

type Users = HashMap<usize, mpsc::UnboundedSender<Message>>;
type Rooms = Arc<RwLock<HashMap<String, Users>>>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().skip_while(|word| word != "--port").nth(1);
    let port: u16 = port.and_then(|port| port.parse().ok()).expect("--port N");

    let rooms = Rooms::default();
    let rooms = warp::any().map(move || rooms.clone());
    let chat = warp::path::param().and(warp::ws()).and(rooms).map(
        |room: String, ws: warp::ws::Ws, rooms| {
            ws.on_upgrade(move |socket| user_connected(socket, room, rooms))
        },
    );

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    warp::serve(chat).incoming(listener).run().await;
    Ok(())
}

async fn user_connected(ws: WebSocket, room: String, rooms: Rooms) {
    let my_id = NEXT_USER_ID.fetch_add(1, Ordering::Relaxed);
    let (mut user_ws_tx, mut user_ws_rx) = ws.split();

    // An unbounded channel buffers messages on their way to the socket.
    let (tx, rx) = mpsc::unbounded_channel();
    let mut rx = UnboundedReceiverStream::new(rx);
    tokio::task::spawn(async move {
        while let Some(message) = rx.next().await {
            if user_ws_tx.send(message).await.is_err() {
                break;
            }
        }
    });

    rooms.write().await.entry(room.clone()).or_default().insert(my_id, tx);
    while let Some(Ok(message)) = user_ws_rx.next().await {
        user_message(message, &room, &rooms).await;
    }
    user_disconnected(my_id, &room, &rooms).await;
}

async fn user_message(message: Message, room: &str, rooms: &Rooms) {
    if !message.is_text() {
        return;
    }
    if let Some(users) = rooms.read().await.get(room) {
        for tx in users.values() {
            // A closed channel means that its user is leaving.
            let _ = tx.send(message.clone());
        }
    }
}

async fn user_disconnected(my_id: usize, room: &str, rooms: &Rooms) {
    let mut rooms = rooms.write().await;
    if let Some(users) = rooms.get_mut(room) {
        users.remove(&my_id);
        if users.is_empty() {
            rooms.remove(room);
        }
    }
}
