export const dashboards = {};
