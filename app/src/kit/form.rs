//! Forms: plain HTML, sent to a server function's URL.
//!
//! A form whose server function refuses comes back at the same page with everything that was typed
//! ([`Submitted`]): fields inside [`Form`] find their typed value and their fault by themselves.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use leptos::children::Children;
use leptos::context::Provider;
use leptos::prelude::*;

use super::{Notice, Tone};
use crate::fault::{PortalError, StandsOnPage, Submitted};
use crate::viewer::Viewer;

/// Name of the hidden field that says which page a form stands on.
pub const PAGE_FIELD: &str = "__page";
/// Name of the hidden field in which the sign-in form carries a form that was sent without a
/// session ([`Submitted::carry`]).
pub const CARRIED_FIELD: &str = "__carried";

/// What fields need to know of the form around them.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormState {
    key: String,
    submitted: Option<Submitted>,
    /// Fields that show their fault.
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl FormState {
    pub(crate) fn current() -> Self {
        use_context().unwrap_or_default()
    }

    /// The element id of the field `name`.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.key)
    }

    /// What was typed, where the form came back.
    pub(crate) fn typed(&self, name: &str) -> Option<String> {
        let fields = &self.submitted.as_ref()?.fields;
        fields.pairs().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// All that was typed into the fields `name[]`, in their order.
    pub(crate) fn all_typed(&self, name: &str) -> Vec<String> {
        let fields = self.submitted.as_ref().map(|sent| &sent.fields);
        fields.map(|fields| fields.all(name).map(str::to_owned).collect()).unwrap_or_default()
    }

    /// The value that travelled unseen, where the form was carried over a sign-in: what it was
    /// made from may be another by now, which its use case has to see.
    fn carried(&self, name: &str) -> Option<String> {
        let carried = self.submitted.as_ref().is_some_and(|sent| sent.error.is_none());
        self.typed(name).filter(|_| carried)
    }

    /// Whether the form came back.
    pub(crate) const fn came_back(&self) -> bool {
        self.submitted.is_some()
    }

    /// Whether `name` was sent with `value`: a ticked box, a chosen radio button.
    pub(crate) fn chosen(&self, name: &str, value: &str) -> bool {
        self.submitted
            .as_ref()
            .is_some_and(|sent| sent.fields.pairs().any(|pair| pair == (name, value)))
    }

    /// What is wrong with the field `name`, for the field to show.
    pub(crate) fn fault(&self, name: &str) -> Option<String> {
        let fault = self.submitted.as_ref()?.error.as_ref()?.of_field(name)?;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Some(fault.to_owned())
    }

    /// Where one gets to the field `name`; none where the form has no such field.
    fn link(&self, name: &str) -> Option<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.contains(name).then(|| format!("#{}", self.id(name)))
    }
}

/// Pages on which fields stand that can be faulty in a form without them, each with the fields' names.
pub type Elsewhere = Vec<(&'static [&'static str], String)>;

/// Whether a form that was sent to `action` came back: what it stands in has to be open.
pub fn came_back(action: &str) -> bool {
    use_context::<Submitted>().is_some_and(|sent| sent.action == action)
}

/// A form that is sent to a server function: `<Form action=SavePreferences::PATH>`.
///
/// Without scripts too, a refusal shows this page again with all that was typed; success goes on
/// to wherever the server function redirects.
#[component]
pub fn Form(
    /// The server function's path.
    action: &'static str,
    /// Tells several forms with the same action on one page apart.
    #[prop(optional, into)]
    key: String,
    /// A class for the layout: `stack` (default) or `inline`.
    #[prop(default = "stack")]
    class: &'static str,
    /// Where fields stand that can be faulty and are not here.
    #[prop(optional)]
    elsewhere: Elsewhere,
    /// Fields and buttons.
    children: Children,
) -> impl IntoView {
    let page = Viewer::current().url;
    let name = action.rsplit('/').next().unwrap_or_default();
    let state = FormState {
        key: format!("{name}{key}"),
        submitted: use_context::<Submitted>().filter(|sent| {
            sent.action == action && sent.fields.get("__key").unwrap_or_default() == key
        }),
        told: Arc::default(),
    };
    let came_back = state.came_back();
    // Made first: then it is known which of the faults have a field here.
    let fields = view! { <Provider value=state.clone()>{children()}</Provider> }.into_any();
    let error = state.submitted.as_ref().and_then(|sent| sent.error.as_ref());
    let trouble = error.map(|error| trouble(error, &state, &elsewhere));
    if let Some(stands) = use_context::<StandsOnPage>().filter(|_| came_back) {
        stands.set();
    }
    view! {
        <form method="post" action=action class=class data-guard="" novalidate=came_back>
            <input type="hidden" name=PAGE_FIELD value=page/>
            {(!key.is_empty()).then(|| view! { <input type="hidden" name="__key" value=key/> })}
            {trouble}
            {fields}
        </form>
    }
}

/// Why a form came back, with links to the fields. The keyboard and the screen reader begin here.
fn trouble(error: &PortalError, form: &FormState, elsewhere: &Elsewhere) -> impl IntoView + use<> {
    let message = error.to_string();
    let lines = error.faults().iter().cloned().map(|fault| {
        let page = || elsewhere.iter().find(|(fields, _)| fields.contains(&&*fault.field));
        match form.link(&fault.field).or_else(|| page().map(|(_, href)| href.clone())) {
            Some(href) => view! { <li><a href=href>{fault.message}</a></li> }.into_any(),
            None => view! { <li>{fault.message}</li> }.into_any(),
        }
    });
    let lines = lines.collect_view();
    view! {
        <Notice tone=Tone::Bad autofocus=true>
            <p>{message}</p>
            {(!lines.is_empty()).then(|| view! { <ul>{lines}</ul> })}
        </Notice>
    }
}

/// A value that travels with the form unseen.
#[component]
pub fn Hidden(
    /// The field's name.
    #[prop(into)]
    name: String,
    /// The value.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let value = FormState::current().carried(&name).unwrap_or(value);
    view! { <input type="hidden" name=name value=value/> }
}

/// The row of buttons at a form's end.
#[component]
pub fn FormActions(
    /// Buttons, the primary one first.
    children: Children,
) -> impl IntoView {
    view! { <div class="form-actions">{children()}</div> }
}
