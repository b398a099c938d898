// Addresses of this service, which a proxy may serve below a path of its own, such as /people.
const ROOT = document.documentElement.dataset.root ?? "";

/** Where the browser finds a path of this service; what is no such path stays as it is. */
export const rooted = (path) => (path.startsWith("/") ? ROOT + path : path);

/** Opens a page of this service. */
export const openPage = (path) => location.assign(rooted(path));

/** Puts the page's filters into its address. */
export const rewrite = (path) => history.replaceState(null, "", rooted(path));
