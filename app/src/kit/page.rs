//! A page: its data, its headline, and what to show where the data can't be had.

use std::future::Future;

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use leptos::tachys::html::InertElement;
use leptos_meta::Title;

use super::{LinkButton, Notice, Tone, Weight};
use crate::fault::{PortalError, StandsOnPage, Submitted};
use crate::paths;
use crate::shell::Frame;
use crate::viewer::Viewer;

/// What a page shows.
pub struct Sheet {
    title: String,
    lead: Option<AnyView>,
    crumbs: Vec<(String, Option<String>)>,
    actions: Option<AnyView>,
    body: AnyView,
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet").field("title", &self.title).finish_non_exhaustive()
    }
}

impl Sheet {
    /// A page with a headline.
    pub fn new(title: impl Into<String>, body: impl IntoView + 'static) -> Self {
        Self {
            title: title.into(),
            lead: None,
            crumbs: Vec::new(),
            actions: None,
            body: body.into_any(),
        }
    }

    /// The menu group above it, which has no page of its own: "Certificates".
    #[must_use]
    pub fn under(mut self, group: impl Into<String>) -> Self {
        self.crumbs.push((group.into(), None));
        self
    }

    /// A page above it.
    #[must_use]
    pub fn crumb(mut self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push((label.into(), Some(href.into())));
        self
    }

    /// A sentence, or badges, below the headline.
    #[must_use]
    pub fn lead(mut self, lead: impl IntoView + 'static) -> Self {
        self.lead = Some(lead.into_any());
        self
    }

    /// Buttons beside the headline.
    #[must_use]
    pub fn actions(mut self, actions: impl IntoView + 'static) -> Self {
        self.actions = Some(actions.into_any());
        self
    }

    fn view(self) -> AnyView {
        let title = self.title.clone();
        view! {
            <Title text=self.title.clone()/>
            {crumbs(self.crumbs, self.title)}
            <header class="page-head">
                <div>
                    <h1>{title}</h1>
                    {self.lead.map(|lead| view! { <div class="lead">{lead}</div> })}
                </div>
                {self.actions.map(|actions| view! { <div class="actions">{actions}</div> })}
            </header>
            {refused_elsewhere()}
            {self.body}
        }
        .into_any()
    }
}

/// Name of the field in which forms take a person's own words.
const NOTE_FIELD: &str = "note";

/// Why a form was refused that the page, as it is by now, no longer has: somebody else was faster.
/// The body was made before, with its forms.
fn refused_elsewhere() -> Option<AnyView> {
    let stands = use_context::<StandsOnPage>()?;
    let Submitted { error, fields, .. } = use_context::<Submitted>()?;
    let error = error?;
    if stands.get() || error == PortalError::SignedOut {
        return None;
    }
    let message = error.to_string();
    let faults = error.faults().iter().map(|fault| fault.message.clone());
    let faults = faults.map(|fault| view! { <p>{fault}</p> }).collect_view();
    let written = fields.get(NOTE_FIELD).map(str::trim).filter(|note| !note.is_empty());
    let written = written.map(|note| {
        view! {
            <p>"What you had written:"</p>
            <blockquote class="written">{note.to_owned()}</blockquote>
        }
    });
    Some(
        view! { <Notice tone=Tone::Bad title="This was not done" autofocus=true><p>{message}</p>{faults}{written}</Notice> }
            .into_any(),
    )
}

fn crumbs(crumbs: Vec<(String, Option<String>)>, title: String) -> Option<AnyView> {
    if crumbs.is_empty() {
        return None;
    }
    let items = crumbs.into_iter().map(|(label, href)| match href {
        Some(href) => view! { <li><a href=href>{label}</a></li> }.into_any(),
        None => view! { <li>{label}</li> }.into_any(),
    });
    let items = items.collect_view();
    Some(
        view! { <nav class="crumbs" aria-label="Breadcrumbs"><ol>{items}<li aria-current="page">{title}</li></ol></nav> }
            .into_any(),
    )
}

/// A page inside the frame, for signed-in people; others are led to the sign-in page and back.
///
/// `sheet` is awaited on the server before anything is sent, so that the status code is right.
pub fn page(sheet: impl Future<Output = Result<Sheet, PortalError>> + Send + 'static) -> AnyView {
    let viewer = Viewer::current();
    if viewer.person.is_none() {
        sign_in_first(&viewer.url);
        return ().into_any();
    }
    awaited(sheet, |sheet| view! { <Frame>{sheet}</Frame> }.into_any()).into_any()
}

/// A page without the frame: sign-in, set-up.
pub fn bare_page(
    sheet: impl Future<Output = Result<Sheet, PortalError>> + Send + 'static,
) -> AnyView {
    let bare =
        |sheet| view! { <main id="main" class="bare" tabindex="-1">{sheet}</main> }.into_any();
    awaited(sheet, bare).into_any()
}

fn awaited(
    sheet: impl Future<Output = Result<Sheet, PortalError>> + Send + 'static,
    around: impl FnOnce(AnyView) -> AnyView + Send + 'static,
) -> impl IntoView {
    Suspend::new(async move {
        let sheet = sheet.await;
        #[cfg(feature = "ssr")]
        crate::context::done_reading();
        let sheet = match sheet {
            Ok(sheet) => sheet.view(),
            Err(error) => Fault::of(error),
        };
        in_one_piece(around(sheet))
    })
}

/// What stands behind this has nothing more to wait for, so it is written at once: as a part of the
/// stream that the server asks for, each tag would be made as a text of its own first.
#[cfg(feature = "ssr")]
fn in_one_piece(view: AnyView) -> InertElement {
    InertElement::new(view.to_html())
}

#[cfg(not(feature = "ssr"))]
fn in_one_piece(view: AnyView) -> AnyView {
    view
}

/// The page in place of one that can't be shown.
struct Fault;

impl Fault {
    fn of(error: PortalError) -> AnyView {
        #[cfg(feature = "ssr")]
        crate::browser::set_status(error.status());
        // It says why in any case.
        if let Some(stands) = use_context::<StandsOnPage>() {
            stands.set();
        }
        let message = error.to_string();
        let title = error.title();
        Sheet::new(
            title,
            view! {
                <Notice tone=if error.status() == 500 { Tone::Bad } else { Tone::Info }>
                    <p>{message}</p>
                </Notice>
                <p><LinkButton href=paths::dashboard() weight=Weight::Plain>"To the dashboard"</LinkButton></p>
            },
        )
        .view()
    }
}

/// Leads to the sign-in page, which leads back.
#[cfg_attr(not(feature = "ssr"), expect(unused_variables, reason = "only the server redirects"))]
fn sign_in_first(url: &str) {
    #[cfg(feature = "ssr")]
    crate::browser::redirect(
        &crate::query::Query::default().with("next", url).href(&paths::sign_in()),
    );
}
