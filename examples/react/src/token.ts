// The token of the user who is signed in, from the application's own server. If it fails, the client tries again.
export async function fetchToken(): Promise<string> {
  const response = await fetch('/token');
  if (!response.ok) throw new Error(`/token: status ${response.status}`);
  return response.text();
}
