//! The heartbeat: when a ping is due, what answers it, and what comes of silence.

use common::{ClientMessage, CloseCode, ServerMessage};
use rooms::{Settings, conversation::Closing};

use super::{
    at,
    yard::{Visitor, Yard},
};

fn yard() -> Yard {
    Yard::new(Settings::default())
}

#[test]
fn a_ping_is_due_somewhere_within_the_interval_and_then_every_interval() {
    let mut yard = yard();
    for (phase, first) in [(0.0, 0), (0.25, 7_500), (1.0, 30_000)] {
        let mut hana = yard.stranger(phase);
        hana.says(&mut yard, &ClientMessage::Hello { ticket: "hana".into() });
        hana.hears();
        for due in [first, first + 30_000, first + 60_000] {
            if due > 0 {
                hana.sits_until(due - 1);
                assert_eq!(hana.hears(), []);
            }
            hana.sits_until(due);
            assert_eq!(hana.hears(), [ServerMessage::Ping {}]);
            hana.says(&mut yard, &ClientMessage::Pong {});
        }
    }
}

#[test]
fn whoever_gives_no_sign_of_life_for_ten_seconds_after_a_ping_is_cut_off() {
    let mut yard = yard();
    let mut hana = yard.regular("hana");
    hana.sits_until(39_999);
    assert_eq!((hana.hears(), hana.closed_with()), (vec![ServerMessage::Ping {}], None));
    hana.sits_until(40_000);
    let closing = Closing { code: CloseCode::GoingAway, abrupt: true };
    assert_eq!(hana.conversation.closing(), Some(closing));
}

#[test]
fn any_frame_is_a_sign_of_life() {
    type Deed = fn(&mut Visitor, &mut Yard);
    let deeds: [Deed; 3] = [
        |hana, yard| hana.says(yard, &ClientMessage::Pong {}),
        |hana, yard| hana.sends(yard, "nonsense"),
        |hana, yard| hana.conversation.handle_control_frame(at(yard.ms)),
    ];
    for deed in deeds {
        let mut yard = yard();
        let mut hana = yard.regular("hana");
        hana.sits_until(39_999);
        yard.passes(39_999);
        deed(&mut hana, &mut yard);
        hana.sits_until(69_999);
        assert_eq!(hana.closed_with(), None);
    }
}
