import { mount } from 'svelte';
import './style.css';
import App from './App.svelte';
import { begin as beginTheme } from './lib/theme.svelte.js';

beginTheme();
mount(App, { target: document.getElementById('app') });
