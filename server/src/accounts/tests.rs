//! Sessions and tickets, without sockets.

use super::*;

fn guest(accounts: &Accounts, name: &str, now: Instant) -> Arc<SignedIn> {
    let name = UserName::new(name).unwrap();
    let (secret, _) = accounts.sign_in_guest(name, now).unwrap();
    accounts.signed_in(&secret, now).unwrap()
}

#[test]
fn a_ticket_opens_one_connection_for_its_owner_in_time() {
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let (hana, duri) = (guest(&accounts, "하나", now), guest(&accounts, "두리", now));
    let ticket = || accounts.issue_ticket(&hana.session, now).unwrap();

    let first = ticket();
    assert_eq!(accounts.redeem(&first, &[], now), Some(hana.clone()));
    assert_eq!(accounts.redeem(&first, &[], now), None, "used");
    assert_eq!(accounts.redeem(&ticket(), &[duri.session], now), None, "foreign");
    assert_eq!(accounts.redeem(&ticket(), &[], now + TICKET_LIFE), None, "expired");
    assert_eq!(accounts.redeem("nonsense", &[], now), None, "malformed");
    let last = ticket();
    accounts.sign_out(&hana.session);
    assert_eq!(accounts.redeem(&last, &[], now), None, "signed out");
}

#[test]
fn tickets_that_are_out_no_longer_leave_nothing_behind() {
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let (hana, duri) = (guest(&accounts, "하나", now), guest(&accounts, "두리", now));
    let ticket = || accounts.issue_ticket(&hana.session, now).unwrap();
    let are_out = || {
        let state = accounts.lock();
        (state.tickets.len(), state.tickets_end.len())
    };
    for redeemed in [ticket(), ticket()] {
        accounts.redeem(&redeemed, &[], now).unwrap();
    }
    assert_eq!(are_out(), (0, 0), "redeemed");
    accounts.redeem(&ticket(), &[duri.session], now);
    assert_eq!(are_out(), (0, 0), "presented by somebody else");
    ticket();
    accounts.handle_timeout(now + TICKET_LIFE);
    assert_eq!(are_out(), (0, 0), "expired");
    ticket();
    accounts.sign_out(&hana.session);
    assert_eq!(are_out(), (0, 0), "signed out");
}

#[test]
fn one_ticket_presented_by_many_at_once_is_taken_once() {
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let hana = guest(&accounts, "하나", now);
    let ticket = accounts.issue_ticket(&hana.session, now).unwrap();
    let taken = std::thread::scope(|scope| {
        let present = || accounts.redeem(&ticket, &[], now).is_some();
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(present)).collect();
        let taken = threads.into_iter().map(|thread| thread.join().unwrap());
        taken.fold(0, |count, taken| count + usize::from(taken))
    });
    assert_eq!(taken, 1);
}

#[test]
fn ten_tickets_may_be_out_at_a_time() {
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let hana = guest(&accounts, "하나", now);
    for _ in 0..10 {
        accounts.issue_ticket(&hana.session, now).unwrap();
    }
    let refused = accounts.issue_ticket(&hana.session, now).unwrap_err();
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert_eq!(refused.retry_after_ms, Some(30_001));
    assert!(accounts.issue_ticket(&hana.session, now + TICKET_LIFE).is_ok());
}

#[test]
fn thirty_tickets_may_be_asked_for_at_once() {
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let hana = guest(&accounts, "하나", now);
    for _ in 0..30 {
        let ticket = accounts.issue_ticket(&hana.session, now).unwrap();
        accounts.redeem(&ticket, &[], now).unwrap();
    }
    let refused = accounts.issue_ticket(&hana.session, now).unwrap_err();
    assert_eq!(refused.retry_after_ms, Some(2_001));
}

#[test]
fn a_session_that_never_asked_for_a_ticket_ends_after_an_hour() {
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let sign_in = || accounts.sign_in_guest(UserName::new("하나").unwrap(), now).unwrap().0;
    let (first, second) = (sign_in(), sign_in());
    assert!(accounts.signed_in(&first, now + SESSION_UNUSED - Duration::from_secs(1)).is_some());
    assert!(accounts.signed_in(&second, now + SESSION_UNUSED).is_none());
}

#[test]
fn a_session_ends_when_it_is_not_used() {
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let (secret, user) = accounts.sign_in_guest(UserName::new("하나").unwrap(), now).unwrap();
    accounts.issue_ticket(&Hashed::of(&secret), now).unwrap();
    let later = now + SESSION_IDLE - Duration::from_secs(1);
    assert!(accounts.signed_in(&secret, later).is_some());
    let too_late = later + SESSION_IDLE;
    assert!(accounts.signed_in(&secret, too_late).is_none());
    assert_eq!(accounts.handle_timeout(too_late), vec![Hashed::of(&secret)]);
    assert_eq!(accounts.member(&user.id), None);
}

#[test]
fn a_session_is_kept_once_a_day_and_goes_on_after_a_restart() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let (accounts, now) = (Accounts::new(clock::now()), clock::now());
    let (secret, user) = accounts.sign_in_guest(UserName::new("하나").unwrap(), now).unwrap();
    let session = Hashed::of(&secret);
    let saved = accounts.to_save(&session, 100 * DAY_MS, now).unwrap();
    assert_eq!((&saved.user, saved.begun_ms, saved.used_ms), (&user, 100 * DAY_MS, 100 * DAY_MS));
    assert!(accounts.to_save(&session, 100 * DAY_MS, now).is_some(), "it was not kept yet");
    assert!(!accounts.is_saved(&session));
    accounts.saved(&saved);
    assert!(accounts.is_saved(&session));
    assert_eq!(accounts.to_save(&session, 101 * DAY_MS - 1, now), None);
    assert!(accounts.to_save(&session, 101 * DAY_MS, now).is_some());

    let restarted = Accounts::new(clock::now());
    restarted.restore(vec![saved.clone()], 113 * DAY_MS, now);
    assert_eq!(*restarted.signed_in(&secret, now).unwrap().user, user);
    assert_eq!(restarted.member(&user.id), Some(user));
    let much_later = Accounts::new(clock::now());
    much_later.restore(vec![saved], 114 * DAY_MS, now);
    assert_eq!(much_later.signed_in(&secret, now), None, "two weeks unused");
}
