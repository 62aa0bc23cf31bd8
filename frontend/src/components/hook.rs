//! The page's hooks, each of which exists once: a hook of Yew is compiled anew for every type and
//! every closure that it is given.

use std::{any::Any, cell::RefCell, rc::Rc};

use yew::prelude::*;

/// What lives until an effect is over: a timer, a listener, several of them, or nothing.
pub(super) type Guard = Box<dyn Any>;

/// Nothing lives on.
pub(super) fn nothing() -> Guard {
    Box::new(())
}

/// Runs after the first render and whenever the number is another one than before. What it
/// returned is dropped first, and with the component.
#[hook]
pub(super) fn use_effect_at(number: u64, effect: impl FnOnce() -> Guard + 'static) {
    use_boxed_effect(number, Box::new(effect));
}

#[hook]
fn use_boxed_effect(number: u64, effect: Box<dyn FnOnce() -> Guard>) {
    use_effect_with(number, move |_| {
        let guard = effect();
        move || drop(guard)
    });
}

/// A number that is kept from one render to the next; another one calls for the next.
#[derive(Clone)]
pub(super) struct Number {
    value: Rc<RefCell<i64>>,
    update: UseForceUpdateHandle,
}

impl Number {
    pub(super) fn get(&self) -> i64 {
        *self.value.borrow()
    }

    pub(super) fn set(&self, value: i64) {
        if self.value.replace(value) != value {
            self.update.force_update();
        }
    }
}

/// A number; 0 at first.
#[hook]
pub(super) fn use_number() -> Number {
    let value = use_mut_ref(i64::default);
    let update = use_force_update();
    Number { value, update }
}

/// Something that is or is not.
#[derive(Clone)]
pub(super) struct Flag(Number);

impl Flag {
    pub(super) fn is_set(&self) -> bool {
        self.0.get() != 0
    }

    pub(super) fn set(&self, set: bool) {
        self.0.set(set.into());
    }
}

/// A flag; not set at first.
#[hook]
pub(super) fn use_flag() -> Flag {
    Flag(use_number())
}
