//! Who somebody is: sessions by cookie, and tickets for one connection each.
//!
//! Guests have a name and nothing else. Secrets are stored hashed, so that whoever reads the
//! server's memory or disk cannot be anybody. All of it is asked with `now`; nothing waits.

pub mod cookie;

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use common::{ErrorCode, Member, Problem, UserId, UserName};
use rooms::rate::{Bucket, Rate};
use sha2::{Digest as _, Sha256};

use crate::{
    App, clock,
    found_by::found_by,
    log::{Change, SavedSession},
    random,
};

/// A ticket is worth something for this long.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// Tickets of one session that are worth something at the same time.
const TICKETS_LIVE_MAX: usize = 10;
/// Tickets that one session may ask for: 30 a minute.
const TICKET_RATE: Rate = Rate { per_second: 0.5, burst: 30.0 };
/// A session that is not used ends.
const SESSION_IDLE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// A session of somebody who never came in ends sooner: names alone must not fill the house.
const SESSION_UNUSED: Duration = Duration::from_secs(60 * 60);
/// A session ends, used or not.
pub const SESSION_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// A session that is used is kept anew once in this time: its last use is known to a day.
const SAVE_EVERY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Sessions in all: beyond it nobody new comes in.
const SESSIONS_MAX: usize = 200_000;

/// A secret's SHA-256: what is stored of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hashed([u8; 32]);

/// Everybody who is signed in, and the tickets that are out.
#[derive(Debug)]
pub struct Accounts {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    opened_at: Instant,
    sessions: HashMap<BySession, Session>,
    tickets: HashMap<Hashed, Ticket>,
    /// When the tickets end that are out, by session.
    tickets_end: HashMap<Hashed, Vec<Instant>>,
    /// Sessions that are over and still kept.
    to_forget: HashSet<Hashed>,
    users: HashSet<ByUser>,
}

found_by!(BySession(Arc<SignedIn>), Hashed, |of| &of.session);
found_by!(ByUser(Arc<SignedIn>), UserId, |of| &of.user.id);

#[derive(Debug)]
struct Session {
    begun: Moment,
    used: Moment,
    /// Whether it ever asked for a ticket.
    entered: bool,
    /// When it was kept last, in seconds since 1970.
    saved_at: Option<NonZeroU32>,
    ticket_rate: Bucket,
}

/// Whole seconds since the accounts were opened, which is as exact as the life of a session has to
/// be. It may lie before that, and even before the machine's clock began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(i32);

#[derive(Debug)]
struct Ticket {
    session: Hashed,
    ends_at: Instant,
}

/// Somebody who is signed in: said once, for all who know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Which session.
    pub session: Hashed,
    /// Who.
    pub user: Arc<Member>,
}

impl Hashed {
    /// Hashes a secret of 256 random bits; a slow hash would add nothing.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// From the bytes that [`Self::bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be kept.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Accounts {
    /// Nobody is signed in.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let (sessions, tickets, tickets_end, to_forget, users) = Default::default();
        let state = State { opened_at: now, sessions, tickets, tickets_end, to_forget, users };
        Self { state: Mutex::new(state) }
    }

    /// Begins a session of a new guest and answers its secret.
    ///
    /// # Errors
    /// No more sessions are possible.
    pub fn sign_in_guest(&self, name: UserName, now: Instant) -> Result<(String, Member), Problem> {
        let secret = random::secret();
        let user = Member { id: random::user_id(), name };
        let mut state = self.lock();
        if state.sessions.len() >= SESSIONS_MAX {
            return Err(Problem::new(ErrorCode::Busy).retry_after_ms(60_000));
        }
        let ticket_rate = Bucket::full(now);
        let now = state.moment(now);
        let session =
            Session { begun: now, used: now, entered: false, saved_at: None, ticket_rate };
        state.begin(Hashed::of(&secret), user.clone(), session);
        Ok((secret, user))
    }

    /// Whose session this secret opens.
    pub fn signed_in(&self, secret: &str, now: Instant) -> Option<Arc<SignedIn>> {
        let key = Hashed::of(secret);
        let mut state = self.lock();
        let now = state.moment(now);
        let session = state.sessions.get_mut(&key).filter(|session| session.is_alive(now))?;
        session.used = now;
        state.signed_in(&key)
    }

    /// Whether a session has not ended.
    pub fn lives(&self, session: &Hashed) -> bool {
        self.lock().sessions.contains_key(session)
    }

    /// Ends a session.
    pub fn sign_out(&self, session: &Hashed) {
        self.lock().end(session);
    }

    /// Sessions that are over, of which the store has still to be told.
    pub fn to_forget(&self) -> Vec<Hashed> {
        self.lock().to_forget.iter().copied().collect()
    }

    /// The store has forgotten a session that is over.
    pub fn forgotten(&self, session: &Hashed) {
        self.lock().to_forget.remove(session);
    }

    /// A name for an id, as long as that person's session lives.
    pub fn member(&self, id: &UserId) -> Option<Member> {
        self.lock().users.get(id).map(|ByUser(signed_in)| Member::clone(&signed_in.user))
    }

    /// Takes over the sessions that were kept; `wall_ms` is the time of day in milliseconds since
    /// 1970. It alone is compared with what was kept: no clock of this machine was there then.
    pub fn restore(&self, saved: Vec<SavedSession>, wall_ms: u64, now: Instant) {
        let mut state = self.lock();
        let ticket_rate = Bucket::full(now);
        let now = state.moment(now);
        for SavedSession { session, user, begun_ms, used_ms } in saved {
            let restored = Session {
                begun: now.earlier_by_ms(wall_ms.saturating_sub(begun_ms)),
                used: now.earlier_by_ms(wall_ms.saturating_sub(used_ms)),
                entered: true,
                saved_at: seconds_since_1970(used_ms),
                ticket_rate,
            };
            state.begin(session, user, restored);
        }
    }

    /// What the store should be told of a session: when it asked for a ticket for the first time,
    /// and then once a day. With [`Self::saved`] it is done.
    pub fn to_save(&self, session: &Hashed, wall_ms: u64, now: Instant) -> Option<SavedSession> {
        let state = self.lock();
        let (BySession(signed_in), owner) = state.sessions.get_key_value(session)?;
        let is_old = |saved: NonZeroU32| {
            wall_ms.saturating_sub(u64::from(saved.get()) * 1_000) >= SAVE_EVERY_MS
        };
        let age_ms = u64::from(owner.begun.seconds_until(state.moment(now))) * 1_000;
        owner.saved_at.is_none_or(is_old).then(|| SavedSession {
            session: *session,
            user: Member::clone(&signed_in.user),
            begun_ms: wall_ms.saturating_sub(age_ms),
            used_ms: wall_ms,
        })
    }

    /// The session is kept.
    pub fn saved(&self, saved: &SavedSession) {
        if let Some(owner) = self.lock().sessions.get_mut(&saved.session) {
            owner.saved_at = seconds_since_1970(saved.used_ms);
        }
    }

    /// Whether the session outlives the process: what its owner is acknowledged is then known as
    /// theirs.
    pub fn is_saved(&self, session: &Hashed) -> bool {
        let state = self.lock();
        state.sessions.get(session).is_some_and(|session| session.saved_at.is_some())
    }

    /// The right to open one connection.
    ///
    /// # Errors
    /// Too many tickets are out, or too many were asked for in a short time.
    pub fn issue_ticket(&self, session: &Hashed, now: Instant) -> Result<String, Problem> {
        let mut state = self.lock();
        let State { sessions, tickets, tickets_end, .. } = &mut *state;
        let owner =
            sessions.get_mut(session).ok_or_else(|| Problem::new(ErrorCode::Unauthenticated))?;
        owner.ticket_rate.take(1.0, &TICKET_RATE, now).map_err(Problem::rate_limited)?;
        let ends = tickets_end.entry(*session).or_default();
        ends.retain(|end| *end > now);
        if ends.len() >= TICKETS_LIVE_MAX
            && let Some(first) = ends.iter().min()
        {
            return Err(Problem::rate_limited(*first - now));
        }
        owner.entered = true;
        let secret = random::secret();
        let ticket = Ticket { session: *session, ends_at: now + TICKET_LIFE };
        ends.push(ticket.ends_at);
        tickets.insert(Hashed::of(&secret), ticket);
        Ok(secret)
    }

    /// Whose ticket it is. It is taken by being looked at: whatever the answer, it is worth
    /// nothing afterwards. `sessions` are those whose cookies came with the connection: when there
    /// are any, the ticket has to belong to one of them.
    pub fn redeem(&self, ticket: &str, sessions: &[Hashed], now: Instant) -> Option<Arc<SignedIn>> {
        let mut state = self.lock();
        let ticket = state.tickets.remove(&Hashed::of(ticket))?;
        state.ticket_was_redeemed(&ticket);
        let foreign = !sessions.is_empty() && !sessions.contains(&ticket.session);
        if foreign || ticket.ends_at <= now {
            return None;
        }
        let now = state.moment(now);
        state.sessions.get(&ticket.session).filter(|session| session.is_alive(now))?;
        state.signed_in(&ticket.session)
    }

    /// Forgets what has expired; answers the sessions that did.
    pub fn handle_timeout(&self, now: Instant) -> Vec<Hashed> {
        let mut state = self.lock();
        state.tickets.retain(|_, ticket| ticket.ends_at > now);
        state.tickets_end.retain(|_, ends| ends.iter().any(|end| *end > now));
        let now = state.moment(now);
        let expired = state.sessions.iter().filter(|(_, session)| !session.is_alive(now));
        let expired: Vec<Hashed> = expired.map(|(BySession(of), _)| of.session).collect();
        for session in &expired {
            state.end(session);
        }
        expired
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn moment(&self, at: Instant) -> Moment {
        let since = at.saturating_duration_since(self.opened_at).as_secs();
        Moment(i32::try_from(since).unwrap_or(i32::MAX))
    }

    fn begin(&mut self, session: Hashed, user: Member, state: Session) {
        let signed_in = Arc::new(SignedIn { session, user: Arc::new(user) });
        self.users.insert(ByUser(Arc::clone(&signed_in)));
        self.sessions.insert(BySession(signed_in), state);
    }

    fn signed_in(&self, session: &Hashed) -> Option<Arc<SignedIn>> {
        let (BySession(signed_in), _) = self.sessions.get_key_value(session)?;
        Some(Arc::clone(signed_in))
    }

    /// A ticket is out no longer. Of most sessions no other is.
    fn ticket_was_redeemed(&mut self, ticket: &Ticket) {
        let Some(ends) = self.tickets_end.get_mut(&ticket.session) else { return };
        if let Some(at) = ends.iter().position(|end| *end == ticket.ends_at) {
            ends.swap_remove(at);
        }
        if ends.is_empty() {
            self.tickets_end.remove(&ticket.session);
        }
    }

    fn end(&mut self, session: &Hashed) {
        self.tickets_end.remove(session);
        if let Some((BySession(ended), _)) = self.sessions.remove_entry(session) {
            self.users.remove(&ended.user.id);
            self.to_forget.insert(*session);
        }
        self.tickets.retain(|_, ticket| ticket.session != *session);
    }
}

impl Session {
    fn is_alive(&self, now: Moment) -> bool {
        let idle_max = if self.entered { SESSION_IDLE } else { SESSION_UNUSED };
        let within =
            |since: Moment, max| Duration::from_secs(since.seconds_until(now).into()) < max;
        within(self.used, idle_max) && within(self.begun, SESSION_LIFE)
    }
}

impl Moment {
    fn earlier_by_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(u32::try_from(ms / 1_000).unwrap_or(u32::MAX)))
    }

    fn seconds_until(self, later: Self) -> u32 {
        u32::try_from(later.0.saturating_sub(self.0)).unwrap_or(0)
    }
}

/// None for the first second of 1970, and for what lies after 2106: as if it had not been kept.
fn seconds_since_1970(ms: u64) -> Option<NonZeroU32> {
    u32::try_from(ms / 1_000).ok().and_then(NonZeroU32::new)
}

/// Looks for what has expired, for ever. Connections of an expired session are closed.
pub async fn keep_time(app: Arc<App>) {
    /// A prime number of milliseconds: it does not fall in step with other clocks.
    const EVERY: Duration = Duration::from_millis(7_211);
    let mut interval = tokio::time::interval(EVERY);
    loop {
        interval.tick().await;
        let now = clock::now();
        for session in app.accounts.handle_timeout(now) {
            app.connections.close_session(&session, common::CloseCode::SessionExpired);
        }
        app.connections.handle_timeout(now);
        // What could not be forgotten before is tried again.
        let _ = forget(&app).await;
    }
}

/// Lets the store forget the sessions that are over: a restart does not bring them back.
///
/// # Errors
/// The store could not be told of all of them; it is told again later.
pub(crate) async fn forget(app: &App) -> Result<(), Problem> {
    for session in app.accounts.to_forget() {
        app.live.log().change(Change::SignOut(session)).await?;
        app.accounts.forgotten(&session);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
