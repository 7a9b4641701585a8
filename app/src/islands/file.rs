//! Reads a chosen file into a text area: a CSR uploaded instead of pasted. The file stays in the
//! browser; what is sent is the text area.

use leptos::prelude::*;

/// A file picker that fills the text area `target`. Not shown where no scripts run.
#[island]
pub fn FileToText(
    /// Id of the text area.
    target: String,
    /// What to choose, as `Choose a CSR file`.
    label: String,
) -> impl IntoView {
    let id = format!("{target}-file");
    let (shown, show) = signal(false);
    let (said, say) = signal(String::new());
    Effect::new(move |_| show.set(true));
    view! {
        <p class="file" hidden=move || !shown.get()>
            <label class="button" for=id.clone()>{label}</label>
            <input
                id=id type="file" class="visually-hidden" accept=".csr,.pem,.req,.txt,application/pkcs10"
                on:change=move |event| fill(&event, &target, say)
            />
            <span class="fault" role="status">{said}</span>
        </p>
    }
}

#[cfg(feature = "hydrate")]
fn fill(event: &leptos::ev::Event, target: &str, say: WriteSignal<String>) {
    use leptos::task::spawn_local;
    use leptos::wasm_bindgen::JsCast as _;
    use leptos::web_sys::{HtmlInputElement, HtmlTextAreaElement};

    /// No CSR is larger.
    const LARGEST: f64 = 131_072.0;

    let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    let file = input.and_then(|input| input.files()).and_then(|files| files.get(0));
    let area = document()
        .get_element_by_id(target)
        .and_then(|area| area.dyn_into::<HtmlTextAreaElement>().ok());
    let Some((file, area)) = file.zip(area) else { return };
    if file.size() > LARGEST {
        say.set(format!(
            "{} is larger than 128 kB, which no CSR is, so it was not read. Choose another file, or paste the CSR.",
            file.name()
        ));
        return;
    }
    say.set(String::new());
    spawn_local(async move {
        if let Ok(text) = wasm_bindgen_futures::JsFuture::from(file.text()).await {
            area.set_value(&text.as_string().unwrap_or_default());
            // Other islands listen to what is typed.
            if let Ok(typed) = web_sys::Event::new("input") {
                let _ = area.dispatch_event(&typed);
            }
        }
    });
}

#[cfg(not(feature = "hydrate"))]
fn fill(_event: &leptos::ev::Event, _target: &str, _say: WriteSignal<String>) {}
