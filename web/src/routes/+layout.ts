// Built as files, drawn in the browser: the door serves them as they are.
export const prerender = true;
export const ssr = false;
