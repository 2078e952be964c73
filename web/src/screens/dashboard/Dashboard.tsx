/** My Dashboard: what an annotator sees of themselves. */
export default function Dashboard() {
  return <h1>My Dashboard</h1>;
}
