/** The version that this build of the front-end was made as; the server says its own in every reply. */
import packageData from '../../../../package.json';

export const VERSION: string = packageData.version;
