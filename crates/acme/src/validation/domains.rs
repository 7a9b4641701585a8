//! The resolver lent to the portal: a domain's token is looked for as challenges are.

use std::pin::Pin;

use lifecycle::organizations::TxtLookup;

use super::Failure;
use crate::AcmeServer;

impl TxtLookup for AcmeServer {
    fn txt<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<String>, String>> + Send + 'a>> {
        Box::pin(async move {
            self.dns().txt(name).await.map_err(|failure| match failure {
                Failure::Again(fault) | Failure::Final(fault) => fault.detail,
            })
        })
    }
}
