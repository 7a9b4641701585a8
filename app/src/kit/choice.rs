//! Choosing: lists, radio buttons, boxes to tick.

use leptos::prelude::*;

use super::Markup;
use super::action::filled;
use super::field::{FaultLine, Labelled, described_by};
use super::form::FormState;

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    value: String,
    label: String,
    help: String,
    disabled: bool,
}

impl Choice {
    /// Sends `value`, shows `label`.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), help: String::new(), disabled: false }
    }

    /// With a sentence below it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Shown, not to be chosen; its help should say why.
    #[must_use]
    pub const fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }
}

/// A list to choose one from.
#[component]
pub fn SelectField(
    /// The field's name, as the server function's argument.
    #[prop(into)]
    name: String,
    /// What it is.
    #[prop(into)]
    label: String,
    /// What there is to choose.
    choices: Vec<Choice>,
    /// What is chosen at first.
    #[prop(optional, into)]
    value: String,
    /// A sentence of help.
    #[prop(optional, into)]
    help: String,
    /// Must be chosen.
    #[prop(optional)]
    required: bool,
    /// Marked as optional beside the label.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    let form = FormState::current();
    let id = form.id(&name);
    let fault = form.fault(&name);
    let value = form.typed(&name).unwrap_or(value);
    let described = described_by(&id, !help.is_empty(), fault.is_some());
    let invalid = fault.is_some().then_some("true");
    view! {
        <Labelled id=id.clone() label=label help=help fault=fault optional=optional>
            <select
                id=id class="input" name=name required=required aria-describedby=described aria-invalid=invalid
                inner_html=options(&choices, &value)
            ></select>
        </Labelled>
    }
}

fn options(choices: &[Choice], chosen: &str) -> String {
    let mut html = Markup::with_capacity(choices.len() * 64);
    html.options(choices, chosen);
    html.into_html()
}

impl Markup {
    /// The `<option>`s of a list, what is inside of a `<select>`.
    pub fn options(&mut self, choices: &[Choice], chosen: &str) -> &mut Self {
        for choice in choices {
            self.tags("<option value=\"").text(&choice.value).tags("\"");
            if choice.value == chosen {
                self.tags(" selected");
            }
            if choice.disabled {
                self.tags(" disabled");
            }
            self.tags(">").text(&choice.label).tags("</option>");
        }
        self
    }
}

/// Radio buttons: one of a few choices, each with its own help.
#[component]
pub fn RadioGroup(
    /// The field's name, as the server function's argument.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    legend: String,
    /// What there is to choose.
    choices: Vec<Choice>,
    /// What is chosen at first.
    #[prop(optional, into)]
    value: String,
    /// A sentence of help.
    #[prop(optional, into)]
    help: String,
) -> impl IntoView {
    let form = FormState::current();
    let id = form.id(&name);
    let fault = form.fault(&name);
    let value = form.typed(&name).unwrap_or(value);
    let described = described_by(&id, !help.is_empty(), fault.is_some());
    let buttons = choices.into_iter().enumerate().map(|(position, choice)| {
        let own_id = if position == 0 { id.clone() } else { format!("{id}-{position}") };
        let checked = choice.value == value;
        view! { <Option_ kind="radio" id=own_id name=name.clone() checked=checked choice=choice/> }
    });
    let buttons = buttons.collect_view();
    let (faulty, invalid) = (fault.is_some().then_some(""), fault.is_some().then_some("true"));
    view! {
        <fieldset class="field" role="radiogroup" aria-describedby=described aria-invalid=invalid data-faulty=faulty>
            <legend>{legend}</legend>
            {(!help.is_empty()).then(|| view! { <p class="help" id=format!("{id}-help")>{help}</p> })}
            <div class="options">{buttons}</div>
            {fault.map(|fault| view! { <FaultLine id=id.clone() fault=fault/> })}
        </fieldset>
    }
}

/// Boxes to tick, several of which may be; they are sent as `name[]`.
#[component]
pub fn CheckGroup(
    /// The field's name without `[]`, as the server function's `Vec<String>` argument.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    legend: String,
    /// What there is to tick.
    choices: Vec<Choice>,
    /// What is ticked at first.
    #[prop(optional)]
    values: Vec<String>,
    /// A sentence of help.
    #[prop(optional, into)]
    help: String,
) -> impl IntoView {
    let form = FormState::current();
    let id = form.id(&name);
    let fault = form.fault(&name);
    let sent_as = format!("{name}[]");
    let described = described_by(&id, !help.is_empty(), fault.is_some());
    let boxes = choices.into_iter().enumerate().map(|(position, choice)| {
        let own_id = if position == 0 { id.clone() } else { format!("{id}-{position}") };
        let checked =
            if form.came_back() { form.chosen(&sent_as, &choice.value) } else { values.contains(&choice.value) };
        let fault = fault.is_some().then(|| id.clone());
        view! { <Option_ kind="checkbox" id=own_id name=sent_as.clone() checked=checked choice=choice fault=fault/> }
    });
    let boxes = boxes.collect_view();
    let faulty = fault.is_some().then_some("");
    view! {
        <fieldset class="field" aria-describedby=described data-faulty=faulty>
            <legend>{legend}</legend>
            {(!help.is_empty()).then(|| view! { <p class="help" id=format!("{id}-help")>{help}</p> })}
            <div class="options">{boxes}</div>
            {fault.map(|fault| view! { <FaultLine id=id.clone() fault=fault/> })}
        </fieldset>
    }
}

/// A box to tick; sends `on`, or nothing: the server function's argument is
/// `#[server(default)] name: Option<String>`.
#[component]
pub fn Checkbox(
    /// The field's name, as the server function's argument.
    #[prop(into)]
    name: String,
    /// What ticking it says.
    #[prop(into)]
    label: String,
    /// Whether it is ticked at first.
    #[prop(optional)]
    checked: bool,
    /// A sentence of help.
    #[prop(optional, into)]
    help: String,
    /// Shown, not to be changed; the help should say why.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let form = FormState::current();
    let id = form.id(&name);
    let fault = form.fault(&name);
    let checked = if form.came_back() { form.typed(&name).is_some() } else { checked };
    let (faulty, shown_at) = (fault.is_some().then_some(""), fault.is_some().then(|| id.clone()));
    let choice = Choice::new("on", label).help(help).disabled(disabled);
    view! {
        <div class="field" data-faulty=faulty>
            <Option_ kind="checkbox" id=id.clone() name=name checked=checked choice=choice fault=shown_at/>
            {fault.map(|fault| view! { <FaultLine id=id.clone() fault=fault/> })}
        </div>
    }
}

#[component]
fn Option_(
    kind: &'static str,
    id: String,
    name: String,
    checked: bool,
    choice: Choice,
    /// The field whose fault it shares.
    #[prop(optional_no_strip)]
    fault: Option<String>,
) -> impl IntoView {
    let help = described_by(&id, !choice.help.is_empty(), false);
    let invalid = fault.is_some().then_some("true");
    let fault = fault.and_then(|field| described_by(&field, false, true));
    let described = filled([help, fault].into_iter().flatten().collect::<Vec<_>>().join(" "));
    view! {
        <div class="option">
            <input
                type=kind id=id.clone() name=name value=choice.value checked=checked
                disabled=choice.disabled aria-describedby=described aria-invalid=invalid
            />
            <label for=id.clone()>{choice.label}</label>
            {(!choice.help.is_empty()).then(|| view! { <p class="help" id=format!("{id}-help")>{choice.help}</p> })}
        </div>
    }
}
