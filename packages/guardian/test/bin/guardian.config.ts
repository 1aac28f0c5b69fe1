import { workbench } from './workbench.ts';

// What a user's config module looks like; the test says where the files are.
export default () => workbench(process.env['WORKBENCH'] ?? '');
