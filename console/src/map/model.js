// A payload of a map in 3D: glTF by three, turned with the mouse, a finger or the arrow keys.

import {
  AmbientLight, Box3, Color, DirectionalLight, GridHelper, Mesh, MeshStandardMaterial, PerspectiveCamera, Scene, Vector3, WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';

const colour = (name) => new Color(getComputedStyle(document.documentElement).getPropertyValue(name).trim());

/** Shows `buffer` in `canvas`; gives what it is made of and how to end it. */
export async function show(canvas, buffer) {
  const loaded = await new GLTFLoader().parseAsync(buffer, '');
  const scene = new Scene();
  scene.background = colour('--sunken');
  scene.add(new AmbientLight(0xffffff, 1.6));
  const sun = new DirectionalLight(0xffffff, 2.2);
  sun.position.set(3, 6, 4);
  scene.add(sun, loaded.scene);

  let triangles = 0;
  loaded.scene.traverse((node) => {
    if (!(node instanceof Mesh)) return;
    triangles += (node.geometry.index?.count ?? node.geometry.attributes.position.count) / 3;
    if (!node.geometry.attributes.normal) node.geometry.computeVertexNormals();
    // A payload without a material of its own gets one that can be seen on either ground.
    if (!node.material.map && node.material.name === '') {
      node.material = new MeshStandardMaterial({ color: colour('--accent'), roughness: 0.75, flatShading: true });
    }
  });
  const box = new Box3().setFromObject(loaded.scene);
  const size = box.getSize(new Vector3());
  const centre = box.getCenter(new Vector3());
  const reach = Math.max(size.x, size.y, size.z, 0.01);
  const grid = new GridHelper(reach * 1.6, 16, colour('--line-strong'), colour('--line'));
  grid.position.set(centre.x, box.min.y - reach * 0.002, centre.z);
  scene.add(grid);

  const camera = new PerspectiveCamera(45, 1, reach / 500, reach * 20);
  camera.position.copy(centre).add(new Vector3(reach * 0.8, reach * 0.75, reach * 1.05));
  const renderer = new WebGLRenderer({ canvas, antialias: true });
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  const controls = new OrbitControls(camera, canvas);
  controls.target.copy(centre);
  controls.listenToKeyEvents(canvas);
  controls.update();

  const draw = () => renderer.render(scene, camera);
  const fit = () => {
    const { clientWidth: width, clientHeight: height } = canvas;
    renderer.setSize(width, height, false);
    camera.aspect = width / Math.max(height, 1);
    camera.updateProjectionMatrix();
    draw();
  };
  const observer = new ResizeObserver(fit);
  observer.observe(canvas);
  controls.addEventListener('change', draw);
  fit();
  return {
    triangles: Math.round(triangles),
    size: [size.x, size.y, size.z],
    end() {
      observer.disconnect();
      controls.dispose();
      renderer.dispose();
    },
  };
}
