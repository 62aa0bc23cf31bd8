//! Bad input, floods, silence: each has its answer, and nobody else feels it.

use common::{CloseCode, ErrorCode, ServerMessage};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::stage::{Guest, House, code, within};

#[tokio::test]
async fn a_frame_that_breaks_a_rule_is_refused_and_the_connection_lives() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let too_long = "가".repeat(4_001);
    let too_long =
        format!(r#"{{"type":"say","id":1,"room":"general","message_id":"m","body":"{too_long}"}}"#);
    for (frame, code, pointer) in [
        ("not json", ErrorCode::BadRequest, ""),
        (r#"{"type":"shout"}"#, ErrorCode::Validation, "/type"),
        (r#"{"type":"pong","colour":"red"}"#, ErrorCode::Validation, "/colour"),
        (r#"{"type":"join","id":1}"#, ErrorCode::Validation, "/room"),
        (r#"{"type":"join","id":1,"room":"Big Room"}"#, ErrorCode::Validation, "/room"),
        (too_long.as_str(), ErrorCode::Validation, "/body"),
    ] {
        hana.sends_text(frame).await;
        let problem = hana.is_refused().await;
        assert_eq!((problem.code, problem.errors[0].pointer.as_str()), (code, pointer));
    }
    hana.says("general", "아직 있어요").await;
}

#[tokio::test]
async fn a_flood_of_refused_frames_ends_the_connection() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    for _ in 0..30 {
        hana.sends_raw(Message::text("nonsense")).await;
    }
    assert_eq!(hana.is_closed().await, code(CloseCode::PolicyViolation));
}

#[tokio::test]
async fn broken_frames_have_their_codes() {
    let house = House::opens().await;
    let bad_utf8 = Frame::message(vec![0xc3, 0x28], OpCode::Data(Data::Text), true);
    let stray = Frame::message("x".as_bytes().to_vec(), OpCode::Data(Data::Continue), true);
    for (frame, close) in [
        (Message::binary(vec![1, 2, 3]), CloseCode::UnsupportedData),
        (Message::text("x".repeat(64 * 1024 + 1)), CloseCode::TooBig),
        (Message::Frame(bad_utf8), CloseCode::InvalidUtf8),
        (Message::Frame(stray), CloseCode::ProtocolError),
    ] {
        let mut caller = house.enters("하나").await;
        caller.sends_raw(frame).await;
        assert_eq!(caller.is_closed().await, code(close));
    }
}

#[tokio::test]
async fn a_flood_of_pings_ends_the_connection() {
    let house = House::opens().await;
    let mut caller = house.enters("하나").await;
    for _ in 0..60 {
        caller.sends_raw(Message::Ping(vec![0; 100].into())).await;
    }
    assert_eq!(caller.is_closed().await, code(CloseCode::PolicyViolation));
}

#[tokio::test]
async fn whoever_speaks_too_fast_is_told_when_to_go_on() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let mut refused = 0;
    for nth in 0..25 {
        if let Err(problem) = hana.says_as("general", &format!("m-{nth}"), "안녕").await {
            assert_eq!(problem.code, ErrorCode::RateLimited);
            assert!(problem.retryable && problem.retry_after_ms.is_some());
            refused += 1;
        }
    }
    assert!((1..=5).contains(&refused), "20 at once are allowed, {refused} of 25 were refused");
}

#[tokio::test]
async fn a_client_that_is_silent_is_closed_1001_and_one_that_answers_is_not() {
    let flags = ["--heartbeat-interval-ms", "200", "--heartbeat-timeout-ms", "150"];
    let house = House::opens_with(&flags).await;
    let (mut silent, mut lively) = (house.enters("하나").await, house.enters("두리").await);
    lively.joins("general").await;
    // `is_closed` reads and never answers.
    let (closed, ()) = tokio::join!(silent.is_closed(), lively.answers_pings(4));
    assert_eq!(closed, code(CloseCode::GoingAway));
    lively.says("general", "아직 있어요").await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_sent_away_and_misses_nothing() {
    let house = House::opens_with(&[
        "--write-stall-ms",
        "300",
        "--presence-grace-ms",
        "0",
        "--keep-default",
        "2000",
        "--opens-per-address-per-second",
        "1000",
    ])
    .await;
    let slow = house.guest("느린이").await;
    let (mut of_slow, start) = raw_caller(&house, &slow).await;
    let mut watcher = house.enters("지킴이").await;
    watcher.joins("general").await;
    // It reads all the time, so that nobody takes it for slow.
    let id = slow.id.clone();
    let sent_away = tokio::spawn(async move {
        let gone = |message: &ServerMessage| matches!(message, ServerMessage::Presence { left, .. } if left.iter().any(|left| left.as_str() == id));
        watcher.hears(gone).await;
    });
    let mut last = start.clone();
    let text = "가".repeat(4_000);
    // More than the kernel's buffers and ours hold: about 6 MB.
    for author in 0..30 {
        let mut author = house.enters(&format!("손님{author}")).await;
        author.joins("general").await;
        for _ in 0..18 {
            last = author.says("general", &text).await;
        }
    }
    within(sent_away).await.unwrap();
    let mut rest = Vec::new();
    let _ = within(of_slow.read_to_end(&mut rest)).await;
    let mut back = slow.calls().await;
    back.joins_after("general", Some(start.clone())).await;
    for seq in start.seq + 1..=last.seq {
        let next = back.hears(|message| matches!(message, ServerMessage::Entry(_))).await;
        assert!(matches!(next, ServerMessage::Entry(e) if e.seq == seq));
    }
    assert!(rest.len() < 1_000_000, "{} bytes were held for it", rest.len());
}

/// Somebody who joined the general room over a bare TCP connection, and where they stand.
async fn raw_caller(house: &House, guest: &Guest) -> (TcpStream, common::Position) {
    let mut before = guest.calls().await;
    before.joins("general").await;
    let start = before.says("general", "시작").await;
    before.loses_network();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(house.address).await.unwrap();
    let (address, ticket) = (house.address, guest.ticket().await);
    let handshake = format!(
        "GET /ws/general?ticket={ticket} HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(handshake.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    within(stream.read_exact(&mut first)).await.unwrap();
    (stream, start)
}

#[tokio::test]
async fn a_tcp_connection_that_says_nothing_is_closed() {
    let house = House::opens_with(&["--header-timeout-ms", "200"]).await;
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    let mut slow = TcpStream::connect(house.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
    let mut prior = TcpStream::connect(house.address).await.unwrap();
    prior.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    for stream in [&mut silent, &mut slow, &mut prior] {
        let mut rest = Vec::new();
        let _ = within(stream.read_to_end(&mut rest)).await;
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_no_more() {
    let house = House::opens_with(&["--connections-per-address-max", "3"]).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(house.address).await.unwrap());
    }
    let refused = house.asks("GET", "/healthz", &[], None).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    drop(held);
    // The places are given back once the server has seen the connections end.
    within(async {
        loop {
            let stream = TcpStream::connect(house.address).await.unwrap();
            let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            let (mut stream, mut answer) = (stream, String::new());
            let written = stream.write_all(request.as_bytes()).await;
            let _ = stream.read_to_string(&mut answer).await;
            if written.is_ok() && answer.starts_with("HTTP/1.1 200") {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_address_does_not_lock_out_another() {
    use tokio::net::TcpSocket;
    let house = House::opens_with(&["--opens-per-address-per-second", "2"]).await;
    let name = serde_json::json!({ "name": "하나" }).to_string();
    let length = name.len();
    let request = format!(
        "POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{name}"
    );
    let from = |last: u8| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(std::net::SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        socket.connect(house.address)
    };
    let mut flood = from(66).await.unwrap();
    let (mut answers, mut requests) = flood.split();
    let flooding = async {
        for _ in 0..3_000 {
            requests.write_all(request.as_bytes()).await.unwrap();
        }
    };
    let mut sink = vec![0; 64 * 1024];
    let reading = async { while answers.read(&mut sink).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        () = within(flooding) => {}
        () = reading => {}
    }
    let mut other = from(77).await.unwrap();
    other.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    within(other.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 201");
}

#[tokio::test]
async fn an_http_client_that_reads_nothing_loses_its_place() {
    let dist = crate::stage::TempDir::new();
    std::fs::write(format!("{}/large-0f3a9c1d2e4b5a69.js", dist.0), vec![b'x'; 8 << 20]).unwrap();
    let flags = ["--page-dir", &dist.0, "--write-stall-ms", "200"];
    let house = House::opens_with(&flags).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(house.address).await.unwrap();
    let request = "GET /large-0f3a9c1d2e4b5a69.js HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    // The stop would wait for it, were it not gone.
    let mut first = [0; 1];
    within(stream.read_exact(&mut first)).await.unwrap();
    house.closes().await;
}

#[tokio::test]
async fn leaving_and_joining_again_does_not_wipe_out_strikes() {
    let house = House::opens().await;
    let mut hana = house.enters("하나").await;
    hana.joins("general").await;
    let say = |nth: u32| {
        format!(r#"{{"type":"say","id":{nth},"room":"general","message_id":"m-{nth}","body":"x"}}"#)
    };
    let flood = async {
        for nth in 0..200_000 {
            if nth % 50 == 49 {
                hana.sends_text(r#"{"type":"leave","id":1,"room":"general"}"#).await;
                hana.sends_text(r#"{"type":"join","id":2,"room":"general"}"#).await;
            }
            hana.sends_text(&say(nth)).await;
            if let Some(code) = hana.is_closed_already().await {
                return code;
            }
        }
        0
    };
    assert_eq!(within(flood).await, code(CloseCode::RateLimited));
}

#[tokio::test]
async fn a_storm_of_handshakes_is_shed_with_a_time_to_come_back() {
    let house = House::opens_with(&["--opens-per-address-per-second", "2"]).await;
    let name = serde_json::json!({ "name": "하나" });
    let mut shed = None;
    for _ in 0..20 {
        let answer = house.asks("POST", "/api/session", &[], Some(&name)).await;
        if answer.status == 503 {
            shed = Some(answer);
            break;
        }
    }
    let shed = shed.expect("ten at once are allowed, twenty are not");
    assert_eq!(shed.json()["code"], "busy");
    assert!(shed.header("retry-after").is_some());
}
