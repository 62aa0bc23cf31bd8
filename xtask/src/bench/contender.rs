//! Who is measured.

/// What stands beside the server in one run, and the server itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contender {
    Madang,
    /// The server's accept loop, upgrade and codec, and nothing behind them.
    Echo,
    /// Bare epoll; one write for all that waits.
    Coalesced,
    /// Bare epoll; one write for each frame.
    PerFollower,
    /// In C++, as it is.
    UWebSockets,
    /// Through Python.
    Socketify,
    Nats,
    Warp,
    NodeWs,
    FastApi,
    SocketIo,
}

impl Contender {
    /// The server first: every round begins with it.
    pub(super) const ALL: [Self; 11] = [
        Self::Madang,
        Self::Coalesced,
        Self::PerFollower,
        Self::UWebSockets,
        Self::Socketify,
        Self::Nats,
        Self::Warp,
        Self::NodeWs,
        Self::FastApi,
        Self::SocketIo,
        Self::Echo,
    ];

    /// As `--only` takes it, and as it stands in what was recorded.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Madang => "madang",
            Self::Echo => "madang-echo",
            Self::Coalesced => "floor-coalesced",
            Self::PerFollower => "floor-per-follower",
            Self::UWebSockets => "uwebsockets",
            Self::Socketify => "socketify",
            Self::Nats => "nats",
            Self::Warp => "warp",
            Self::NodeWs => "node-ws",
            Self::FastApi => "fastapi",
            Self::SocketIo => "socketio",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// As it stands in tables and plots.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Madang => "Madang",
            Self::Echo => "Madang's echo",
            Self::Coalesced => "floor, coalesced",
            Self::PerFollower => "floor, a write per frame",
            Self::UWebSockets => "uWebSockets (C++)",
            Self::Socketify => "socketify (its Python)",
            Self::Nats => "nats-server",
            Self::Warp => "warp, a channel per client",
            Self::NodeWs => "Node ws",
            Self::FastApi => "FastAPI + uvicorn",
            Self::SocketIo => "Socket.IO",
        }
    }

    /// What loadgen speaks with it.
    pub(super) fn dialect(self) -> &'static str {
        match self {
            Self::Madang => "madang",
            Self::Nats => "nats",
            Self::SocketIo => "socketio",
            Self::Echo
            | Self::Coalesced
            | Self::PerFollower
            | Self::UWebSockets
            | Self::Socketify
            | Self::Warp
            | Self::NodeWs
            | Self::FastApi => "plain",
        }
    }
}
