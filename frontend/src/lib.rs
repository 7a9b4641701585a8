//! The browser's part: starts the islands of pages that the server has rendered.

// Islands export themselves; without this line the linker would leave them all out.
#[expect(unused_imports, reason = "the crate's islands are reached by the names they export")]
use app::islands;
use leptos::wasm_bindgen;
use leptos::wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the WASM is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
