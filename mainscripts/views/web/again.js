// The page was loaded without its token. If this tab has seen it, it goes on; a token that was
// refused is forgotten.

const token = sessionStorage.getItem("token");
if (location.search) sessionStorage.removeItem("token");
else if (token) location.replace(`/?token=${encodeURIComponent(token)}`);
