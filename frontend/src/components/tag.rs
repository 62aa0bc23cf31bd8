//! Elements, made by calls that all share their code. `html!` writes a piece of program for every
//! element; here an element is a row of small calls, and the page weighs a third less.
//!
//! An absent child is an empty place, so that its siblings keep theirs from one render to the next.

use std::rc::Rc;

use web_sys::Event;
use yew::{
    html::IntoPropValue,
    prelude::*,
    virtual_dom::{Key, Listener, ListenerKind, VComp, VList, VTag, VText},
};

/// An element that is being made.
pub(super) struct Tag(Rc<VTag>);

/// An element without anything.
#[inline(never)]
pub(super) fn tag(name: &'static str) -> Tag {
    Tag(Rc::new(VTag::new(AttrValue::Static(name))))
}

/// An element that has a class.
#[inline(never)]
pub(super) fn classed(name: &'static str, class: &'static str) -> Tag {
    tag(name).class(class)
}

/// Several things, one after the other.
pub(super) fn all(children: Vec<Html>) -> Html {
    VList::with_children(children, None).into()
}

/// A component under a key.
pub(super) fn component<C: BaseComponent>(properties: C::Properties, key: &str) -> Html {
    VComp::new::<C>(Rc::new(properties), Some(key.into())).into()
}

/// A text that does not live as long as the page.
pub(super) fn copied(text: &str) -> AttrValue {
    AttrValue::Rc(text.into())
}

impl Tag {
    /// With this attribute.
    pub(super) fn with(self, name: &'static str, value: impl IntoPropValue<AttrValue>) -> Self {
        self.set(name, Some(value.into_prop_value()))
    }

    /// With this attribute, when there is a value for it.
    #[inline(never)]
    pub(super) fn set(mut self, name: &'static str, value: Option<AttrValue>) -> Self {
        if let Some(value) = value {
            self.own().add_attribute(name, value);
        }
        self
    }

    /// With these attributes.
    #[inline(never)]
    pub(super) fn fixed(self, attributes: &'static [(&'static str, &'static str)]) -> Self {
        attributes
            .iter()
            .fold(self, |tag, (name, value)| tag.set(name, Some(AttrValue::Static(value))))
    }

    /// With this class.
    pub(super) fn class(self, name: &'static str) -> Self {
        self.set("class", Some(AttrValue::Static(name)))
    }

    /// A name for those who do not see it, and a hint for those who do.
    pub(super) fn label(self, label: &'static str) -> Self {
        self.with("aria-label", label)
    }

    /// Its name among its siblings, whatever their order.
    #[inline(never)]
    pub(super) fn key(mut self, key: &str) -> Self {
        self.own().key = Some(Key::from(key));
        self
    }

    /// How its element is found in the document.
    #[inline(never)]
    pub(super) fn at(mut self, reference: &NodeRef) -> Self {
        self.own().node_ref = reference.clone();
        self
    }

    /// Of a radio button: whether it is the chosen one.
    pub(super) fn checked(mut self, checked: bool) -> Self {
        self.own().set_checked(checked);
        self
    }

    /// Hears an event of this name.
    #[inline(never)]
    pub(super) fn on(mut self, event: &'static str, then: Callback<Event>) -> Self {
        self.own().add_listener(Rc::new(Hearing { event, then }));
        self
    }

    /// Hears a click.
    pub(super) fn click(self, then: Callback<Event>) -> Self {
        self.on("click", then)
    }

    /// With this text.
    pub(super) fn text(self, text: impl IntoPropValue<AttrValue>) -> Self {
        self.write(text.into_prop_value())
    }

    #[inline(never)]
    fn write(self, text: AttrValue) -> Self {
        self.html(VText::new(text).into())
    }

    /// With this child.
    #[inline(never)]
    pub(super) fn child(self, child: Tag) -> Self {
        self.html(child.into())
    }

    /// With this child, or an empty place for it.
    #[inline(never)]
    pub(super) fn maybe(self, child: Option<Tag>) -> Self {
        self.html(child.map_or_else(Html::default, Html::from))
    }

    /// With this child, whatever it is.
    #[inline(never)]
    pub(super) fn html(mut self, child: Html) -> Self {
        self.own().add_child(child);
        self
    }

    fn own(&mut self) -> &mut VTag {
        Rc::get_mut(&mut self.0).expect("an element that is being made has one owner")
    }
}

impl From<Tag> for Html {
    fn from(tag: Tag) -> Self {
        Html::VTag(tag.0)
    }
}

/// Every listener of the page: one kind of callback for all events.
struct Hearing {
    event: &'static str,
    then: Callback<Event>,
}

impl Listener for Hearing {
    fn kind(&self) -> ListenerKind {
        // Yew's kinds with names of their own would be one long table here.
        ListenerKind::other(self.event.into())
    }

    fn handle(&self, event: Event) {
        self.then.emit(event);
    }

    /// What follows the finger must not wait for an answer.
    fn passive(&self) -> bool {
        matches!(self.event, "scroll" | "touchmove")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_child_keeps_its_place() {
        let made = |middle: Option<Tag>| tag("p").text("one").maybe(middle).text("three").0;
        let (with, without) = (made(Some(tag("b"))), made(None));
        for made in [with, without] {
            let Some(Html::VList(children)) = made.children() else { panic!("a list of children") };
            assert_eq!(children.len(), 3);
            assert!(matches!(&children[2], Html::VText(text) if &*text.text == "three"));
        }
    }

    #[test]
    fn an_attribute_without_a_value_is_none_and_a_later_class_counts() {
        let made = classed("li", "row").set("role", None).with("class", "row leads").0;
        let attributes: Vec<_> = made.attributes.iter().collect();
        assert_eq!(attributes, [("class", "row leads")]);
    }
}
