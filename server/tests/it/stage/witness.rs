//! A witness: follows one room, and checks every word of it that they are told.

use std::{collections::HashMap, net::SocketAddr};

use common::{
    Body, ClientMessage, Digest, Entry, EntryKind, MessageId, Position, RoomName, ServerMessage,
};
use futures_util::StreamExt as _;
use tokio_tungstenite::MaybeTlsStream;

use super::{Caller, Guest, House, within};

/// Somebody who follows a room, and knows what they may be told next.
pub(crate) struct Witness {
    caller: Caller,
    id: String,
    room: RoomName,
    echo: bool,
    stands_at: Option<Position>,
    /// The place that they named when they joined last.
    named: Option<u64>,
    /// Where the log stood when they joined last.
    joined_at: u64,
    follows: bool,
    /// What was computed over what they heard.
    digests: HashMap<u64, Digest>,
    /// Heads that were told and were right.
    pub(crate) heads: usize,
    last_body: String,
    /// The reply to this request is awaited.
    request: u64,
    replied: Option<Reply>,
    said: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Joined,
    Refused,
    Left,
    Sent,
    Opened,
    SentAway,
}

impl Guest {
    /// Connects as somebody who checks what they are told of a room.
    pub(crate) async fn witnesses(&self, room: &str, echo: bool) -> Witness {
        Witness::new(self.calls().await, self, room, echo).await
    }

    /// The same, over a connection that holds little on its way.
    pub(crate) async fn witnesses_slowly(&self, house: &House, room: &str) -> Witness {
        let caller = slow_caller(house.address, &self.ticket().await).await;
        Witness::new(caller, self, room, true).await
    }
}

async fn slow_caller(house: SocketAddr, ticket: &str) -> Caller {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let stream = MaybeTlsStream::Plain(socket.connect(house).await.unwrap());
    let url = format!("ws://{house}/ws?ticket={ticket}");
    let (socket, _) = within(tokio_tungstenite::client_async(url, stream)).await.unwrap();
    Caller { socket, requests: 0 }
}

impl Witness {
    async fn new(mut caller: Caller, guest: &Guest, room: &str, echo: bool) -> Self {
        caller.hears_welcome().await;
        let mut witness = Self {
            caller,
            id: guest.id.clone(),
            room: RoomName::new(room).unwrap(),
            echo,
            stands_at: None,
            named: None,
            joined_at: 0,
            follows: false,
            digests: HashMap::new(),
            heads: 0,
            last_body: String::new(),
            request: 0,
            replied: None,
            said: 0,
        };
        assert!(witness.joins().await, "the room is open to them");
        witness
    }

    /// Follows the room, also when they do already; `false` when they may not.
    pub(crate) async fn joins(&mut self) -> bool {
        self.request = self.caller.next_id();
        let (id, room, after) = (Some(self.request), self.room.clone(), self.stands_at.clone());
        self.named = after.as_ref().map(|at| at.seq);
        self.caller.sends(&ClientMessage::Join { id, room, after, echo: self.echo }).await;
        self.hears_reply(|reply| matches!(reply, Reply::Joined | Reply::Refused)).await
            == Reply::Joined
    }

    pub(crate) async fn leaves(&mut self) {
        self.request = self.caller.next_id();
        let (id, room) = (self.request, self.room.clone());
        self.caller.sends(&ClientMessage::Leave { id, room }).await;
        self.hears_reply(|reply| *reply == Reply::Left).await;
    }

    /// Says so many words, one behind the other without waiting, and answers where the last stands.
    pub(crate) async fn says(&mut self, words: usize, body: &str) -> u64 {
        for _ in 0..words {
            self.request = self.caller.next_id();
            self.said += 1;
            let message_id = MessageId::new(format!("w{}", self.said)).unwrap();
            let (id, room) = (self.request, self.room.clone());
            let body = Body::new(body).unwrap();
            self.caller.sends(&ClientMessage::Say { id, room, message_id, body }).await;
        }
        if words > 0 {
            self.hears_reply(|reply| *reply == Reply::Sent).await;
        }
        self.joined_at
    }

    /// Listens until they have heard so far.
    pub(crate) async fn hears_up_to(&mut self, seq: u64) {
        while self.stands_at.as_ref().is_some_and(|at| at.seq < seq) {
            self.hears_one().await;
        }
    }

    /// Listens to so many things, or until somebody has said this: whether somebody has.
    pub(crate) async fn hears_some(&mut self, most: usize, last: &str) -> bool {
        for _ in 0..most {
            if self.last_body == last {
                return true;
            }
            self.hears_one().await;
        }
        false
    }

    /// Whether they were sent away, and not yet let in again and back.
    pub(crate) fn is_away(&self) -> bool {
        !self.follows
    }

    /// Comes back when they are let in.
    pub(crate) async fn comes_back(&mut self) {
        while !self.follows {
            self.hears_reply(|reply| *reply == Reply::Opened).await;
            self.joins().await;
        }
    }

    /// Says goodbye; the connection ends.
    pub(crate) async fn goes(mut self) {
        within(self.caller.socket.close(None)).await.unwrap();
        within(async { while let Some(Ok(_)) = self.caller.socket.next().await {} }).await;
    }

    async fn hears_reply(&mut self, fits: impl Fn(&Reply) -> bool) -> Reply {
        self.replied = None;
        loop {
            self.hears_one().await;
            if let Some(reply) = self.replied.take().filter(&fits) {
                return reply;
            }
        }
    }

    async fn hears_one(&mut self) {
        // Pings alone are no news.
        match within(self.caller.hears_next()).await {
            ServerMessage::Entry(entry) => self.takes_entry(&entry),
            ServerMessage::Joined { id, position, after, base, .. } => {
                assert_eq!(id, Some(self.request));
                if let Some(named) = self.named {
                    assert_eq!(after, named, "they go on where they said");
                } else {
                    self.digests.insert(after, base.expect("a first page has a base"));
                }
                self.joined_at = position.seq;
                self.stands_at = Some(Position { seq: after, ..position });
                self.follows = true;
                self.replied = Some(Reply::Joined);
            }
            ServerMessage::Head { position, digest, .. } => {
                assert!(self.follows, "a head of a room that was left");
                let at = self.stands_at.as_ref().expect("who follows stands somewhere");
                assert!(position.epoch == at.epoch && (position.seq <= at.seq || !self.echo));
                if let Some(own) = self.digests.get(&position.seq) {
                    assert_eq!(*own, digest, "at {}", position.seq);
                    self.heads += 1;
                }
            }
            ServerMessage::Presence { .. } => assert!(self.follows, "presence after leaving"),
            ServerMessage::Left { removed, .. } => {
                self.follows = false;
                self.replied = Some(if removed { Reply::SentAway } else { Reply::Left });
            }
            ServerMessage::Ack { id, position, .. } if id == self.request => {
                self.joined_at = self.joined_at.max(position.seq);
                self.replied = Some(Reply::Sent);
            }
            ServerMessage::Ack { .. } => {}
            ServerMessage::Opened { .. } => self.replied = Some(Reply::Opened),
            ServerMessage::Error { id, error } => {
                assert_eq!(id, Some(self.request), "{error:?}");
                assert_eq!(error.code, common::ErrorCode::NotFound, "{error:?}");
                self.replied = Some(Reply::Refused);
            }
            other => panic!("not expected: {other:?}"),
        }
    }

    fn takes_entry(&mut self, entry: &Entry) {
        assert!(self.follows, "{} was heard after leaving", entry.seq);
        let at = self.stands_at.as_mut().expect("who follows stands somewhere");
        if self.echo {
            assert_eq!(entry.seq, at.seq + 1, "one after the other");
        } else {
            assert!(entry.seq > at.seq, "{} behind {}", entry.seq, at.seq);
            assert_ne!(entry.author.id.as_str(), self.id, "no echo was wanted");
        }
        let own_end = entry.kind == EntryKind::Membership
            && entry.body == "kicked"
            && entry.member.as_ref().is_some_and(|member| member.id.as_str() == self.id);
        assert!(!own_end || entry.seq <= self.joined_at, "{} sent them away", entry.seq);
        if let Some(before) = self.digests.get(&(entry.seq - 1)) {
            self.digests.insert(entry.seq, entry.digest_after(*before));
        }
        at.seq = entry.seq;
        self.last_body.clone_from(&entry.body);
    }
}
