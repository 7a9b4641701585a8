//! Fields to type into, each with label, help and fault tied together for assistive technology.

use leptos::children::Children;
use leptos::prelude::*;

use super::action::filled;
use super::form::FormState;
use super::{Glyph, Icon};
use crate::fault::SECRET;

/// Label, help and fault around one control.
#[component]
pub(crate) fn Labelled(
    id: String,
    label: String,
    help: String,
    fault: Option<String>,
    optional: bool,
    children: Children,
) -> impl IntoView {
    let faulty = fault.is_some().then_some("");
    view! {
        <div class="field" data-faulty=faulty>
            <label for=id.clone()>{label}{optional.then(|| view! { <span class="muted">" (optional)"</span> })}</label>
            {children()}
            {(!help.is_empty()).then(|| view! { <p class="help" id=format!("{id}-help")>{help}</p> })}
            {fault.map(|fault| view! { <FaultLine id=id.clone() fault=fault/> })}
        </div>
    }
}

/// What is wrong with a field.
#[component]
pub(crate) fn FaultLine(id: String, fault: String) -> impl IntoView {
    view! { <p class="fault" id=format!("{id}-fault")><Icon glyph=Glyph::Bad/>{fault}</p> }
}

/// The ids of what describes a control.
pub(crate) fn described_by(id: &str, help: bool, fault: bool) -> Option<String> {
    let mut ids = Vec::new();
    if help {
        ids.push(format!("{id}-help"));
    }
    if fault {
        ids.push(format!("{id}-fault"));
    }
    filled(ids.join(" "))
}

/// One line of text.
#[component]
pub fn TextField(
    /// The field's name, as the server function's argument.
    #[prop(into)]
    name: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// The value at first.
    #[prop(optional, into)]
    value: String,
    /// A sentence of help.
    #[prop(optional, into)]
    help: String,
    /// `text`, `email`, `password`, `number`, `date`, `time`, `url`, `search`.
    #[prop(default = "text")]
    kind: &'static str,
    /// Must be filled in.
    #[prop(optional)]
    required: bool,
    /// Marked as optional beside the label.
    #[prop(optional)]
    optional: bool,
    /// HTML `autocomplete`.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// HTML `inputmode`.
    #[prop(optional, into)]
    inputmode: String,
    /// The longest text.
    #[prop(default = 255)]
    maxlength: u32,
    /// For `number`, `date` and `time`.
    #[prop(optional, into)]
    min: String,
    /// For `number`, `date` and `time`.
    #[prop(optional, into)]
    max: String,
    /// Id of a `<datalist>`.
    #[prop(optional, into)]
    list: String,
    /// Shown, not to be changed.
    #[prop(optional)]
    readonly: bool,
    /// The keyboard is here when the page opens, unless the form came back: then it is where that says why.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let form = FormState::current();
    let id = form.id(&name);
    let fault = form.fault(&name);
    let secret = kind == "password";
    debug_assert!(!secret || name.ends_with(SECRET), "{name} would be carried over a sign-in");
    let value = if secret { String::new() } else { form.typed(&name).unwrap_or(value) };
    let described = described_by(&id, !help.is_empty(), fault.is_some());
    let invalid = fault.is_some().then_some("true");
    let autofocus = autofocus && !form.came_back();
    view! {
        <Labelled id=id.clone() label=label help=help fault=fault optional=optional>
            <input
                id=id class="input" type=kind name=name value=value
                required=required readonly=readonly autofocus=autofocus
                autocomplete=autocomplete inputmode=filled(inputmode) maxlength=maxlength
                min=filled(min) max=filled(max) list=filled(list)
                aria-describedby=described aria-invalid=invalid
            />
        </Labelled>
    }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    /// The field's name, as the server function's argument.
    #[prop(into)]
    name: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// The value at first.
    #[prop(optional, into)]
    value: String,
    /// A sentence of help.
    #[prop(optional, into)]
    help: String,
    /// Lines shown.
    #[prop(default = 4)]
    rows: u32,
    /// Must be filled in.
    #[prop(optional)]
    required: bool,
    /// Marked as optional beside the label.
    #[prop(optional)]
    optional: bool,
    /// Typewriter letters, for CSRs and names.
    #[prop(optional)]
    code: bool,
    /// The longest text.
    #[prop(default = 2000)]
    maxlength: u32,
) -> impl IntoView {
    let form = FormState::current();
    let id = form.id(&name);
    let fault = form.fault(&name);
    let value = form.typed(&name).unwrap_or(value);
    let described = described_by(&id, !help.is_empty(), fault.is_some());
    let invalid = fault.is_some().then_some("true");
    let class = if code { "input mono" } else { "input" };
    view! {
        <Labelled id=id.clone() label=label help=help fault=fault optional=optional>
            <textarea
                id=id class=class name=name rows=rows required=required maxlength=maxlength
                spellcheck=if code { "false" } else { "true" }
                aria-describedby=described aria-invalid=invalid
            >{format!("\n{value}")}</textarea>
        </Labelled>
    }
}
