//! Asked of Linux, over netlink.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags},
};
use netlink_sys::{Socket, SocketAddr as Port, protocols::NETLINK_SOCK_DIAG};

use super::End;

/// All open ends that belong to this port, of IPv4 and this network namespace. The kernel looks
/// through its table in parts: while others close, one may be missed.
///
/// # Errors
/// The kernel does not tell: it was built without `INET_TCP_DIAG`.
pub fn open_ends_of(port: u16) -> anyhow::Result<Vec<End>> {
    let kernel = Socket::new(NETLINK_SOCK_DIAG).context("no netlink socket")?;
    kernel.connect(&Port::new(0, 0))?;
    let asked = asks_for(port);
    let mut request = vec![0; asked.buffer_len()];
    asked.serialize(&mut request);
    ensure!(kernel.send(&request, 0)? == request.len(), "the question was cut");
    let mut ends = Vec::new();
    loop {
        let (answer, _) = kernel.recv_from_full()?;
        if !takes(&answer, &mut ends)? {
            return Ok(ends);
        }
    }
}

fn asks_for(port: u16) -> NetlinkMessage<SockDiagMessage> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = InetRequest {
        family: AF_INET,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::ESTABLISHED,
        socket_id: SocketId { source_port: port, ..SocketId::new_v4() },
    };
    let mut asked = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    asked.finalize();
    asked
}

/// Takes the messages of one answer; whether more are to come.
fn takes(mut answer: &[u8], ends: &mut Vec<End>) -> anyhow::Result<bool> {
    while !answer.is_empty() {
        let message = NetlinkMessage::<SockDiagMessage>::deserialize(answer)?;
        answer = answer.get(message.header.length as usize..).unwrap_or_default();
        let payload = message.payload;
        if let NetlinkPayload::Done(done) = &payload {
            ensure!(done.code == 0, "the kernel stopped telling: {}", done.code);
            return Ok(false);
        }
        if let NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(end)) = payload {
            ends.push(open(&end));
        } else {
            bail!("the kernel does not tell: {payload:?}");
        }
    }
    Ok(true)
}

fn open(end: &InetResponse) -> End {
    let id = &end.header.socket_id;
    End {
        remote: SocketAddr::from((id.destination_address, id.destination_port)),
        unacknowledged: end.header.send_queue,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// NLMSG_DONE of netlink(7), with how it went as C has it: 0, or an error's number below it.
    fn done(code: i32) -> Vec<u8> {
        let (bytes, kind, flags, sequence_and_port) = (20_u32, 3_u16, 0_u16, [0; 8]);
        let kind = [kind.to_ne_bytes(), flags.to_ne_bytes()].concat();
        [&bytes.to_ne_bytes(), &*kind, &sequence_and_port, &code.to_ne_bytes()].concat()
    }

    #[test]
    fn a_table_that_the_kernel_stops_telling_is_an_error_and_not_an_empty_one() {
        let mut ends = Vec::new();
        assert!(!takes(&done(0), &mut ends).expect("it went well"));
        takes(&done(-2), &mut ends).unwrap_err();
    }

    #[test]
    fn an_open_end_is_told_with_what_is_left_to_send_until_it_is_closed() {
        let server = TcpListener::bind(("127.0.0.1", 0)).expect("bind");
        let address = server.local_addr().expect("it is bound");
        let (mut clients, mut ends): (Vec<TcpStream>, Vec<TcpStream>) = (0..150)
            .map(|_| {
                let client = TcpStream::connect(address).expect("connect");
                (client, server.accept().expect("accept").0)
            })
            .unzip();
        let told = |remote: SocketAddr| {
            let ends = open_ends_of(address.port()).expect("the kernel tells");
            ends.into_iter().find(|end| end.remote == remote)
        };

        let all = open_ends_of(address.port()).expect("the kernel tells");
        assert_eq!(all.len(), 150, "not the clients' own ends");
        let (client, mut end) = (clients.remove(0), ends.remove(0));
        let remote = client.local_addr().expect("it is bound");
        assert_eq!(told(remote), Some(End { remote, unacknowledged: 0 }));

        end.set_nonblocking(true).expect("set");
        while end.write(&[0; 65_536]).is_ok() {}
        assert!(told(remote).is_some_and(|end| end.unacknowledged > 0), "the client reads nothing");

        drop(end);
        assert_eq!(told(remote), None);
        (&client).read_exact(&mut [0; 1_024]).expect("what was written is still there");
    }
}
