import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/global.css';
import './styles/shared.css';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');
// each page loads what it needs alone
const page = /^\/lab(\/|$)/.test(location.pathname) ? import('./lab/LabApp.svelte') : import('./App.svelte');
void page.then(({ default: component }) => mount(component, { target }));
