/** The name and version that this build of the front-end carries. */
declare module '*/package.json' {
  const packageData: { name: string; version: string };
  export default packageData;
}
