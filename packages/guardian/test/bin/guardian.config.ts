import { switchboard } from './switchboard.ts';

// What a user's config module looks like; the test says where the files are.
export default () => switchboard(process.env['SWITCHBOARD'] ?? '');
