//! The open connections: how many there may be, and how one is told to end.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU64,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{CloseCode, ConnectionId, ErrorCode, Problem};
use rooms::{
    ConnectionNumber,
    rate::{Bucket, Rate},
};

use crate::{
    Config,
    accounts::Hashed,
    contact::{ByConnection, Contact},
    random,
};

/// All TCP connections by address, and all WebSocket connections by their number.
#[derive(Debug)]
pub struct Connections {
    state: Arc<Mutex<State>>,
    connections_max: usize,
    connections_per_address_max: usize,
    opens_per_address: Rate,
    opens_in_all: Rate,
    next_number: AtomicU64,
}

#[derive(Debug)]
struct State {
    open: usize,
    addresses: HashMap<Ipv6Addr, Address>,
    opens: Option<Bucket>,
    talking: HashSet<ByConnection>,
}

#[derive(Debug)]
struct Address {
    open: usize,
    opens: Bucket,
}

/// The place of one TCP connection. Dropping it gives the place back.
#[derive(Debug)]
pub struct Place {
    state: Weak<Mutex<State>>,
    address: Ipv6Addr,
}

impl Connections {
    /// No connection yet, and the operator's limits.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (addresses, talking) = Default::default();
        let state = State { open: 0, addresses, opens: None, talking };
        Self {
            state: Arc::new(Mutex::new(state)),
            connections_max: config.connections_max,
            connections_per_address_max: config.connections_per_address_max,
            opens_per_address: config.opens_per_address(),
            opens_in_all: config.opens_in_all(),
            next_number: AtomicU64::new(random::first_number()),
        }
    }

    /// A number for one connection, which no other has as long as the process lives: 48 bits.
    pub fn next_number(&self) -> ConnectionNumber {
        /// Above them, so that none is 0.
        const ABOVE: NonZeroU64 = NonZeroU64::MIN.saturating_add((1 << 48) - 1);
        let number = self.next_number.fetch_add(1, Ordering::Relaxed) % ABOVE;
        ConnectionNumber(ABOVE | number)
    }

    /// A TCP connection came; `None` when there is no place for it.
    pub fn arrive(&self, address: IpAddr, now: Instant) -> Option<Place> {
        let address = network(address);
        let mut state = self.lock();
        if state.open >= self.connections_max {
            return None;
        }
        let known = state.address(address, now);
        if known.open >= self.connections_per_address_max {
            return None;
        }
        known.open += 1;
        state.open += 1;
        Some(Place { state: Arc::downgrade(&self.state), address })
    }

    /// Whether this address may open a session or a WebSocket connection at this moment.
    ///
    /// # Errors
    /// It, or everybody together, opened too many; when to come again.
    pub fn may_open(&self, address: IpAddr, now: Instant) -> Result<(), Problem> {
        let busy = |wait: Duration| {
            Problem::new(ErrorCode::Busy).retry_after(wait.max(Duration::from_secs(1)))
        };
        let mut state = self.lock();
        // Whoever is refused for their own sake costs the others nothing.
        let network = network(address);
        let address = state.address(network, now);
        if let Some(wait) = address.opens.lacks(1.0, &self.opens_per_address, now) {
            return Err(busy(wait));
        }
        let node = state.opens.get_or_insert_with(|| Bucket::full(now));
        node.take(1.0, &self.opens_in_all, now).map_err(busy)?;
        let address = state.address(network, now);
        address.opens.take(1.0, &self.opens_per_address, now).map_err(busy)
    }

    /// A connection has its ticket and can be told to end.
    pub fn begin(&self, contact: Arc<Contact>) {
        self.lock().talking.insert(ByConnection(contact));
    }

    /// A connection ended.
    pub fn end(&self, number: ConnectionNumber) {
        self.lock().talking.remove(&number);
    }

    /// Tells one connection to end.
    pub fn close(&self, number: ConnectionNumber, code: CloseCode) {
        if let Some(ByConnection(contact)) = self.lock().talking.get(&number) {
            contact.mailbox().close(code);
        }
    }

    /// Tells all connections of a session to end.
    pub fn close_session(&self, session: &Hashed, code: CloseCode) {
        self.each(|contact| {
            if contact.owner().signed_in.session == *session {
                contact.mailbox().close(code);
            }
        });
    }

    /// Does something with every connection.
    pub fn each(&self, tell: impl FnMut(&Contact)) {
        self.lock().talking.iter().map(|ByConnection(contact)| &**contact).for_each(tell);
    }

    /// How many WebSocket connections there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().talking.len()
    }

    /// Tells everybody to end, a tenth after the other; the first half of `within` is used for it.
    pub async fn send_away(&self, code: CloseCode, within: Duration) {
        /// So few come back without being felt.
        const BATCH_MIN: usize = 100;
        const BATCHES: u32 = 10;
        // Weakly: whoever ends meanwhile is gone, and not held open until all were told.
        let talking: Vec<_> =
            self.lock().talking.iter().map(|ByConnection(one)| Arc::downgrade(one)).collect();
        let batch = (talking.len() / BATCHES as usize + 1).max(BATCH_MIN);
        for (nth, batch) in talking.chunks(batch).enumerate() {
            if nth > 0 {
                tokio::time::sleep(within / (2 * BATCHES)).await;
            }
            batch.iter().filter_map(Weak::upgrade).for_each(|one| one.mailbox().close(code));
        }
    }

    /// Forgets addresses that make no difference.
    pub fn handle_timeout(&self, now: Instant) {
        let forget = |address: &Address| address.open == 0 && address.opens.is_full(now);
        self.lock().addresses.retain(|_, address| !forget(address));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What people call a connection: the low 48 bits of its number as eight letters.
#[must_use]
pub fn id_of(ConnectionNumber(number): ConnectionNumber) -> ConnectionId {
    let [_, _, low @ ..] = number.get().to_be_bytes();
    ConnectionId::new(URL_SAFE_NO_PAD.encode(low)).expect("its letters are those of a token")
}

impl State {
    fn address(&mut self, address: Ipv6Addr, now: Instant) -> &mut Address {
        let new = || Address { open: 0, opens: Bucket::full(now) };
        self.addresses.entry(address).or_insert_with(new)
    }
}

/// Whoever has an IPv6 address has 2^64 of them: the network counts (RFC 4291 section 2.5.4).
/// An IPv4 address is mapped.
fn network(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => v6,
        IpAddr::V6(v6) => (u128::from(v6) >> 64 << 64).into(),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(state) = self.state.upgrade() else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open -= 1;
        if let Some(address) = state.addresses.get_mut(&self.address) {
            address.open -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{clock, contact::tests::contact_of, line::tests::connected};

    #[test]
    fn an_address_that_opens_too_many_takes_nothing_from_the_others() {
        let connections = Connections::new(&Config::parse_from(["server"]));
        let (now, flood) = (clock::now(), IpAddr::from([192, 0, 2, 1]));
        let opened = (0..100_000).filter(|_| connections.may_open(flood, now).is_ok()).count();
        assert!((1..1_000).contains(&opened), "{opened}");
        connections.may_open(IpAddr::from([192, 0, 2, 2]), now).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_sent_away_is_let_go_of_before_the_last_are_told() {
        let connections = Arc::new(Connections::new(&Config::parse_from(["server"])));
        let mut far_ends = Vec::new();
        for nth in 0..101 {
            let (near, far) = connected().await;
            connections.begin(contact_of(&format!("p{nth}"), near));
            far_ends.push(far);
        }
        let all = Arc::clone(&connections);
        let within = Duration::from_secs(30);
        let sending_away = tokio::spawn(async move {
            all.send_away(CloseCode::ServiceRestart, within).await;
        });
        tokio::task::yield_now().await;
        let talking: Vec<_> = connections.lock().talking.drain().collect();
        let told =
            talking.iter().filter(|ByConnection(one)| one.mailbox().take().is_some()).count();
        assert_eq!(told, 100);
        let gone: Vec<_> =
            talking.into_iter().map(|ByConnection(one)| Arc::downgrade(&one)).collect();
        assert!(!sending_away.is_finished());
        assert!(gone.iter().all(|one| one.upgrade().is_none()), "their sockets are closed");
    }

    #[test]
    fn connections_have_numbers_and_names_of_their_own() {
        let connections = Connections::new(&Config::parse_from(["server"]));
        let names: HashSet<_> = (0..1_000).map(|_| id_of(connections.next_number())).collect();
        assert_eq!(names.len(), 1_000);
        assert!(names.iter().all(|name| name.as_str().len() == 8));
    }
}
