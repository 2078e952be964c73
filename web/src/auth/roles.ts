/**
 * Roles are groups of the user pool, named in the access token. What is hidden here is refused by the API as well:
 * hiding a button is a kindness, not a protection.
 */
export const ROLES = ['admin', 'lead', 'analyst', 'annotator'] as const;
export type Role = (typeof ROLES)[number];

export const PLANNERS: readonly Role[] = ['admin', 'lead'];
export const READERS: readonly Role[] = ['admin', 'lead', 'analyst'];
export const EVERYBODY: readonly Role[] = ROLES;

export function rolesOf(accessToken: string): Role[] {
  const payload = accessToken.split('.')[1] ?? '';
  const text = atob(payload.replace(/-/g, '+').replace(/_/g, '/'));
  const groups = (JSON.parse(text) as { 'cognito:groups'?: string[] })['cognito:groups'] ?? [];
  return ROLES.filter((role) => groups.includes(role));
}

export function hasOne(roles: readonly Role[], wanted: readonly Role[]): boolean {
  return roles.some((role) => wanted.includes(role));
}
