import type { Messages } from '../en/index.ts';
import common from './common.json';
import job from './job.json';
import jobs from './jobs.json';
import login from './login.json';
import missing from './missing.json';
import now from './now.json';
import problems from './problems.json';
import run from './run.json';
import runs from './runs.json';
import shell from './shell.json';
import states from './states.json';

const messages: Messages = { common, job, jobs, login, missing, now, problems, run, runs, shell, states };
export default messages;
