//! What is on its way, and who it is for.

use std::time::Duration;

use session::{Generation, TicketRefusal};

use crate::{client::Being, judge::Verdict, world::World};

/// Something that is on its way.
#[derive(Debug)]
pub(crate) enum Happening {
    Ticket {
        client: usize,
        load: u64,
        generation: Generation,
        ticket: Result<String, TicketRefusal>,
    },
    Accepts {
        client: usize,
        load: u64,
        generation: Generation,
    },
    Opens {
        wire: u64,
    },
    OpenFails {
        client: usize,
        load: u64,
        generation: Generation,
    },
    Up {
        wire: u64,
        text: String,
    },
    Down {
        wire: u64,
        text: String,
    },
    UpClosed {
        wire: u64,
    },
    DownClosed {
        wire: u64,
        code: u16,
    },
    /// The same, as frames that may be lost on their way.
    UpCloseFrame {
        wire: u64,
    },
    CloseFrame {
        wire: u64,
        code: u16,
    },
    /// A commit is written, synced, and told; `last` ends it.
    Writes {
        life: u64,
    },
    Syncs {
        life: u64,
    },
    Delivers {
        life: u64,
        last: bool,
    },
    Deed {
        client: usize,
    },
    Fault,
    SignsIn {
        client: usize,
        load: u64,
    },
    SignedIn {
        client: usize,
        load: u64,
        done: bool,
    },
    /// The shell asks the session what to do, some time after it was called.
    Settles {
        client: usize,
    },
    Wakes {
        client: usize,
    },
    Online {
        client: usize,
    },
    LooksAgain,
    /// Everybody sees to what waits in their outbox.
    SeesToOutboxes,
    ServerStops {
        life: u64,
    },
    ServerStarts,
    Sweep,
}

impl World {
    /// The client whose page this reaches, if it is for a page and not for the server.
    fn is_for(&self, happening: &Happening) -> Option<usize> {
        match happening {
            Happening::Ticket { client, .. }
            | Happening::OpenFails { client, .. }
            | Happening::Deed { client }
            | Happening::SignedIn { client, .. }
            | Happening::Settles { client } => Some(*client),
            Happening::Opens { wire }
            | Happening::Down { wire, .. }
            | Happening::CloseFrame { wire, .. }
            | Happening::DownClosed { wire, .. } => self.wires.get(wire).map(|wire| wire.client),
            Happening::Accepts { .. }
            | Happening::Up { .. }
            | Happening::UpClosed { .. }
            | Happening::UpCloseFrame { .. }
            | Happening::LooksAgain
            | Happening::SeesToOutboxes
            | Happening::Writes { .. }
            | Happening::Syncs { .. }
            | Happening::Delivers { .. }
            | Happening::Fault
            | Happening::SignsIn { .. }
            | Happening::Wakes { .. }
            | Happening::Online { .. }
            | Happening::ServerStops { .. }
            | Happening::ServerStarts
            | Happening::Sweep => None,
        }
    }

    pub(crate) fn happens(&mut self, happening: Happening) -> Verdict {
        if let Some(client) = self.is_for(&happening) {
            match self.clients[client].state {
                Being::Awake => {}
                Being::Asleep => {
                    self.backlog.entry(client).or_default().push(happening);
                    return Ok(());
                }
                Being::Gone => return Ok(()),
            }
        }
        match happening {
            Happening::Ticket { client, load, generation, ticket } => {
                return self.ticket_comes(client, load, generation, ticket);
            }
            Happening::OpenFails { client, load, generation } => {
                return self.open_fails(client, load, generation);
            }
            Happening::SignedIn { client, load, done } => {
                return self.signed_in(client, load, done);
            }
            Happening::Opens { wire } => return self.opens(wire),
            Happening::Down { wire, text } => return self.down(wire, &text),
            Happening::DownClosed { wire, code } => return self.down_closed(wire, code),
            Happening::CloseFrame { wire, code } => return self.close_frame(wire, code),
            Happening::Writes { life } => return self.writes_commit(life),
            Happening::Syncs { life } => return self.syncs_commit(life),
            Happening::Delivers { life, last } => return self.delivers(life, last),
            Happening::Deed { client } => return self.next_deed(client),
            Happening::Fault => return self.next_fault(),
            Happening::Settles { client } => return self.settle(client),
            Happening::Wakes { client } => return self.wakes(client),
            Happening::Online { client } => return self.comes_online(client),
            Happening::LooksAgain => return self.looks_again(),
            Happening::SeesToOutboxes => return self.see_to_outboxes(),
            Happening::Accepts { client, load, generation } => {
                self.accepts(client, load, generation);
            }
            Happening::Up { wire, text } => self.up(wire, text),
            Happening::UpCloseFrame { wire } => self.up_close_frame(wire),
            Happening::UpClosed { wire } => {
                if let Some(server) = &mut self.server {
                    server.lose(wire, self.now);
                }
            }
            Happening::SignsIn { client, load } => self.signs_in(client, load),
            Happening::ServerStops { life } => self.stop_server(life),
            Happening::ServerStarts => return self.start_server(),
            Happening::Sweep => {
                if let Some(server) = &mut self.server {
                    server.sweep(self.now);
                }
                self.plan_in(Duration::from_secs(7), Happening::Sweep);
            }
        }
        Ok(())
    }
}
