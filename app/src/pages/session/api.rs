//! Server functions of the session. They alone work before sign-in, so they don't ask the desk.

use leptos::prelude::*;

use crate::fault::PortalError;

/// Opens a session and leads on to `next`.
#[server(prefix = "/api", endpoint = "session/sign-in")]
pub async fn sign_in(email: String, password: String, next: String) -> Result<(), PortalError> {
    use crate::browser;
    use lifecycle::auth::Credentials;

    let lifecycle = crate::desk::lifecycle()?;
    let visitor = browser::visitor();
    let token = lifecycle
        .sign_in(Credentials { email, password }, visitor.address, &visitor.user_agent)
        .await?;
    browser::sign_in(&lifecycle, &token).await?;
    browser::redirect(&crate::paths::local(&next));
    Ok(())
}

/// Ends the session.
#[server(prefix = "/api", endpoint = "session/sign-out")]
pub async fn sign_out() -> Result<(), PortalError> {
    use crate::browser::{self, Cookie};
    use crate::desk::SignedIn;

    if let Some(signed_in) = SignedIn::current() {
        crate::desk::lifecycle()?.sign_out(&signed_in.person, &signed_in.token).await?;
    }
    browser::set_cookie(Cookie::Session, None, None);
    browser::redirect(&format!("{}?out=1", crate::paths::sign_in()));
    Ok(())
}

/// Light, dark, or as the system says; kept in a cookie, so that the first byte has the colours.
#[server(prefix = "/api", endpoint = "session/theme")]
pub async fn choose_theme(theme: String, back: String) -> Result<(), PortalError> {
    use crate::browser::{self, Cookie};
    use crate::viewer::Theme;

    const YEAR: u64 = 31_536_000;
    browser::set_cookie(Cookie::Theme, Some(Theme::read(&theme).as_str()), Some(YEAR));
    browser::redirect(&crate::paths::local(&back));
    Ok(())
}
