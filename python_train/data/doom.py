"""ViZDoom as a source of recorded frames: the schema of its buttons and a headless game that plays them.

Frames are rendered larger than they are kept and reduced with a box filter, which removes the shimmer of Doom's
unfiltered textures. Turning goes through `TURN_LEFT_RIGHT_DELTA` at a constant rate: the turn buttons of the engine
accelerate over the first tics, which a single frame does not show.
"""

import os
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .schema import ActionSchema, Button

DOOM_SCHEMA = ActionSchema(
    (
        Button("MOVE_FORWARD", "KeyW"),
        Button("MOVE_BACKWARD", "KeyS"),
        Button("MOVE_LEFT", "KeyA"),
        Button("MOVE_RIGHT", "KeyD"),
        Button("TURN_LEFT", "ArrowLeft"),
        Button("TURN_RIGHT", "ArrowRight"),
    )
)
TICS_PER_SECOND = 35


@dataclass(frozen=True)
class DoomConfig:
    """What is played and how it is recorded. Sizes in pixels, `turn_degrees` a tic."""

    scenario: str = "my_way_home"
    map_name: str = "map01"
    height: int = 160
    width: int = 256
    render_height: int = 320
    render_width: int = 512
    tics_per_frame: int = 2
    turn_degrees: float = 3.0

    @property
    def fps(self) -> float:
        return TICS_PER_SECOND / self.tics_per_frame


@dataclass
class Observation:
    """One rendered state: rgb uint8 `[H,W,3]`, depth uint8 `[H/2,W/2]` (0 near), pose in map units and degrees."""

    rgb: np.ndarray
    depth: np.ndarray
    position: tuple[float, float, float]
    angle: float
    health: float
    tic: int


def reduce_image(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Box-filters uint8 `[h,w,3]` to `[height,width,3]`; an integer factor takes PIL's fast path."""
    source = Image.fromarray(np.ascontiguousarray(image))
    if source.size == (width, height):
        return np.asarray(source)
    if source.width % width == 0 and source.height % height == 0:
        return np.asarray(source.reduce((source.width // width, source.height // height)))
    return np.asarray(source.resize((width, height), Image.Resampling.BOX))


class DoomGame:
    """A headless ViZDoom game. `reset(seed)` starts an episode, `step(buttons)` plays one recorded frame."""

    def __init__(self, config: DoomConfig) -> None:
        # vizdoom is imported here so that reading a data set does not need the game.
        import vizdoom as vzd

        self.config = config
        game = vzd.DoomGame()
        game.set_doom_scenario_path(os.path.join(vzd.scenarios_path, config.scenario + ".wad"))
        game.set_doom_map(config.map_name)
        resolution = f"RES_{config.render_width}X{config.render_height}"
        game.set_screen_resolution(getattr(vzd.ScreenResolution, resolution))
        game.set_screen_format(vzd.ScreenFormat.RGB24)
        game.set_depth_buffer_enabled(True)
        for part in "hud weapon crosshair decals particles screen_flashes effects_sprites messages corpses".split():
            getattr(game, f"set_render_{part}")(False)
        button, variable = vzd.Button, vzd.GameVariable
        game.set_available_buttons(
            [
                button.MOVE_FORWARD,
                button.MOVE_BACKWARD,
                button.MOVE_LEFT,
                button.MOVE_RIGHT,
                button.TURN_LEFT_RIGHT_DELTA,
            ]
        )
        game.set_available_game_variables(
            [variable.POSITION_X, variable.POSITION_Y, variable.POSITION_Z, variable.ANGLE, variable.HEALTH]
        )
        game.set_window_visible(False)
        game.set_sound_enabled(False)
        game.set_mode(vzd.Mode.PLAYER)
        game.set_episode_timeout(1_000_000)
        game.set_episode_start_time(14)
        # A private ini file: two games that start at once must not write the same one.
        game.set_doom_config_path(f"/tmp/yanrt-vizdoom-{os.getpid()}.ini")
        game.init()
        self._game = game

    def reset(self, seed: int) -> Observation:
        self._game.set_seed(seed)
        self._game.new_episode()
        observation = self._observe()
        if observation is None:
            raise RuntimeError(f"{self.config.scenario}: the episode with seed {seed} ended before its first frame")
        return observation

    def step(self, buttons: np.ndarray) -> Observation | None:
        """Holds `buttons` (multi-hot `[A]` of DOOM_SCHEMA) for one frame; None when the episode is over."""
        forward, backward, left, right, turn_left, turn_right = (int(value) for value in buttons)
        turn = self.config.turn_degrees * (turn_right - turn_left)
        self._game.make_action([forward, backward, left, right, turn], self.config.tics_per_frame)
        return self._observe()

    def close(self) -> None:
        self._game.close()

    def _observe(self) -> Observation | None:
        state = self._game.get_state()
        if state is None or self._game.is_episode_finished():
            return None
        assert state.depth_buffer is not None, "the depth buffer is enabled above"
        x, y, z, angle, health = (float(value) for value in np.asarray(state.game_variables))
        config = self.config
        rows = ((np.arange(config.height // 2) + 0.5) * config.render_height / (config.height // 2)).astype(int)
        columns = ((np.arange(config.width // 2) + 0.5) * config.render_width / (config.width // 2)).astype(int)
        return Observation(
            rgb=reduce_image(state.screen_buffer, config.height, config.width),
            depth=state.depth_buffer[rows[:, None], columns],
            position=(x, y, z),
            angle=angle,
            health=health,
            tic=int(state.tic),
        )
