//! The page's hooks, each of which exists once: a hook of Yew is compiled anew for every type and
//! every closure that it is given.

use std::any::Any;

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

/// Something that is or is not; it is not at first.
#[hook]
pub(super) fn use_flag() -> UseStateHandle<bool> {
    use_state_eq(bool::default)
}

/// A number; 0 at first.
#[hook]
pub(super) fn use_number() -> UseStateHandle<i64> {
    use_state_eq(i64::default)
}
